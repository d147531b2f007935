/* routing.queue and routing.assignment: the choice of an operator, draining, the second look, the sweep. */

/* assignment.assign: leaves the locked operator in `chosen`, NOBODY if nobody can take it. The race may be lost
   (`is_lost`), or a contact older than `older_than` waits for the chosen one, who `is_awaited`. */
inline assign(s, not, held, older_than)
{
#ifndef WITHOUT_PATIENCE
    if
    :: attempt >= PATIENCE -> to_lock = roster[s] | (held == NOBODY -> 0 : BIT(held)); lock_all()
    :: else
    fi;
#endif
    atomic { draw(s, not); may_crash() };
    if
    :: chosen == NOBODY
    :: else ->
        lock_two(chosen, held);
        if
        :: attempt == 0 -> update_operator(chosen)
        :: else
        fi;
        atomic {
#ifndef WITHOUT_SECOND_CHECK
            /* At the first attempt all of it is a condition of the storing statement: take_in_turn. */
            is_lost = !IS_FREE(chosen) || !ON_ROSTER(chosen, s) || (attempt == 0 && OLDEST(chosen) < older_than);
#endif
            may_crash()
        };
        if
        :: attempt > 0 && !is_lost ->
            atomic { is_awaited = OLDEST(chosen) < older_than; may_crash() }    /* waiting.somebody_waits_for */
        :: else
        fi;
        update_operator(chosen)
    fi
}

/* queue.assign_oldest: leaves the operator in `chosen`, NOBODY if none waits or all attempts were lost. */
inline assign_oldest(o)
{
    d_step { awaited = o; attempt = 0; contact = NONE };
    do
        :: attempt == ATTEMPTS -> d_step { release(); chosen = NOBODY }; break      /* Busy: left to the sweep */
    :: attempt < ATTEMPTS ->
        atomic { turn[drained] == 0 -> turn[drained] = ME; may_crash() };       /* named_locks.wait_for_turn */
        atomic {
            contact = (IS_FREE(awaited) -> OLDEST(awaited) : NONE);             /* waiting.oldest_for */
            if
            :: contact != NONE -> from = source[contact]; refusing = given_back[contact]
            :: else
            fi;
            may_crash()
        };
        if
        :: contact == NONE && awaited == o -> d_step { release(); chosen = NOBODY }; break
        :: contact == NONE && awaited != o -> awaited = o; start_again()
        :: else ->
            assign(from, refusing, NOBODY, contact);
            if
            :: is_lost -> start_again()
            :: !is_lost && (chosen == NOBODY || is_awaited) ->
                atomic { awaited = (is_awaited -> chosen : o); is_awaited = false };
                start_again()
            :: else ->
                update_contact(contact, WAITING, NOBODY);
                if
                :: is_lost -> start_again()
                :: else -> commit(contact, ASSIGNED, chosen, NOBODY, 0); has_assigned = true; break
                fi
            fi
        fi
    od
}

/* queue.serve_operators, for one operator: assigns the oldest contacts that wait for it while it is free. */
inline serve_operator(o)
{
    do
    ::  atomic {
            contact = (IS_FREE(o) -> OLDEST(o) : NONE);     /* waiting.oldest_for, before a transaction begins */
            if
            :: contact != NONE -> drained = source[contact]
            :: else
            fi;
            may_crash()
        };
        if
        :: contact == NONE -> break
        :: else
        fi;
        assign_oldest(o);
        if
        :: chosen == NOBODY -> break                        /* none waits, or it is left to the sweep */
        :: else -> chosen = NOBODY
        fi
    od;
    atomic { contact = NONE; chosen = NOBODY; attempt = 0; awaited = NOBODY; drained = 0; from = 0; refusing = 0 }
}

/* After the commit: queue.serve_operator for the operator who was `freed`; then for each source in `looks` the second
   look, queue.serve_new_waiting, at the operators who share it and are waited for. SWEEPING: queue.sweep_queue. */
inline serve_after_commit()
{
    atomic {
#ifdef WITHOUT_DRAIN
        freed = NOBODY;
#endif
#ifdef WITHOUT_SECOND_LOOK
        looks = looks & SWEEPING;
#endif
        contact = NONE; chosen = NOBODY; attempt = 0
    };
    do
    ::  atomic {
            if
            :: freed != NOBODY -> ready = BIT(freed); freed = NOBODY
            :: freed == NOBODY && looks & 1 -> ready = ALL_WAITED_FOR & roster[0]; looks = looks & ~1
            :: freed == NOBODY && looks == 2 -> ready = ALL_WAITED_FOR & roster[1]; looks = 0
            :: freed == NOBODY && looks == SWEEPING ->
                ready = (has_assigned -> ALL_WAITED_FOR : 0);
                looks = (ready -> SWEEPING : 0)
            :: else -> break
            fi;
            has_assigned = false;
            may_crash()
        };
        do
        :: served < OPERATORS ->
            if
            :: ready & BIT(served) -> serve_operator(served)
            :: else
            fi;
            served++
        :: else -> break
        od;
        atomic { served = 0; ready = 0 }
    od
}
