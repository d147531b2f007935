/* What changes contacts. Each sets what is served after its commit: `freed`, an operator, and `looks`, sources. */

/* leads.registration.register_contact: draw, lock, store, commit. A contact that waits looks again. */
inline register(s)
{
    do
    :: attempt < ATTEMPTS ->
        assign(s, 0, NOBODY, NONE);
        if
        :: is_lost -> start_again()
        :: else ->
            atomic {
                chosen = (is_awaited -> NOBODY : chosen);
                is_awaited = false;
                contact = stored;
                source[contact] = s;
                stored++;
                may_crash()
            };
            commit(contact, (chosen == NOBODY -> WAITING : ASSIGNED), chosen, NOBODY, 0);
            break
        fi
    :: else -> registration_succeeds = false; assert(registration_succeeds)
    od;
    looks = (chosen == NOBODY -> BIT(s) : 0)
}

/* routing.lifecycle.resolve_contact */
inline resolve(c)
{
    do
    :: attempt < ATTEMPTS ->
        atomic { was = status[c]; freed = owner[c]; may_crash() };
        if
        :: was == RESOLVED || was == ABSENT -> freed = NOBODY; break
        :: else ->
            lock_operator(freed);
            update_contact(c, was, freed);
            update_operator(freed);
            if
            :: is_lost -> start_again()
            :: else -> commit(c, RESOLVED, NOBODY, freed, 0); break
            fi
        fi
    :: else -> freed = NOBODY; break                        /* Busy: nothing has changed */
    od;
    was = ABSENT
}

/* routing.taking.decline_contact by the operator who has it: to another one, or to the queue. */
inline decline(c, who)
{
    do
    :: attempt < ATTEMPTS ->
        atomic {
            is_lost = !HAS(c, who);
            from = source[c];
            refusing = given_back[c] | passed_over | BIT(who);
            may_crash()
        };
        if
        :: is_lost -> is_lost = false; break                /* Conflict: somebody else has it */
        :: else
        fi;
        assign(from, refusing, who, c);
        if
        :: is_lost -> start_again()
        :: !is_lost && is_awaited ->
            atomic { passed_over = passed_over | BIT(chosen) | AWAITED_BY_OLDER(c); is_awaited = false };
            start_again()
        :: else ->
            lock_operator(who);
            update_contact(c, ASSIGNED, who);
            update_operator(who);
            if
            :: is_lost -> start_again()
            :: else ->
                atomic { looks = (chosen == NOBODY -> BIT(from) : 0); freed = who };
                commit(c, (looks -> WAITING : ASSIGNED), chosen, who, BIT(who));
                break
            fi
        fi
    :: else -> break                                        /* Busy: nothing has changed */
    od;
    atomic { passed_over = 0; from = 0; refusing = 0 }
}

/* routing.lifecycle.assign_by_hand, to an operator who must be free: checked under the lock. */
inline give(c, who)
{
    do
    :: attempt < ATTEMPTS ->
        atomic { was = status[c]; freed = owner[c]; may_crash() };
        if
        :: was == RESOLVED || was == ABSENT || freed == who -> freed = NOBODY; break
        :: else
        fi;
        lock_two(who, freed);
#ifndef WITHOUT_SECOND_CHECK
        is_lost = !IS_FREE(who);
#endif
        if
        :: is_lost -> atomic { is_lost = false; release(); freed = NOBODY }; break      /* Conflict: full, or off duty */
        :: else
        fi;
        update_contact(c, was, freed);
        update_operator(who);
        if
        :: is_lost -> start_again()
        :: else ->
            atomic {
                given_back[c] = given_back[c] & ~BIT(who);
                commit(c, ASSIGNED, who, freed, 0)
            };
            break
        fi
    :: else -> freed = NOBODY; break                        /* Busy: nothing has changed */
    od;
    was = ABSENT
}

/* routing.operator_actions.set_duty: who comes on duty gets what waits. */
inline set_duty(who, is_on)
{
    wait_for_operator(who);
    d_step { on_duty[who] = is_on; release(); check() };
    freed = who
}
