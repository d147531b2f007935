/* One contact that must be taken in time: taking it against the time-out, the end of duty, hand-over and resolving.

   What happens to the queue after these commits is the matter of routing.pml. */

#include "rows.pml"
#include "queue.pml"

#define C 0                 /* the contact */

bool accepted;
bool due;                   /* its moment has come; false while its clock stands still */
byte offers;                /* how often it was assigned: tells one moment by which it must be taken from another */
byte timed_out;             /* operators from whom it was taken, as bits */

hidden byte one_wins, holder_accepts, clock_runs;

#define AS_READ(who, was_accepted) (HAS(C, who) && accepted == was_accepted)

/* routing.taking.accept_contact, by this operator. */
inline accept(who)
{
    freed = who;
    do
    :: attempt < ATTEMPTS ->
        atomic {
#ifdef WITHOUT_EXPECTED_OPERATOR
            freed = owner[C];
#endif
            has_ended = !HAS(C, freed) || accepted;         /* Conflict: somebody else has it; or nothing to do */
            may_crash()
        };
        if
        :: has_ended -> break
        :: else
        fi;
#ifndef WITHOUT_LOCK_TO_ACCEPT
        lock_operator(freed);
#endif
        atomic {
            contact_lock[C] == 0 -> contact_lock[C] = ME;
#ifndef WITHOUT_COMPARISON
            is_lost = !AS_READ(freed, false);
#endif
            may_crash()
        };
        if
        :: is_lost -> start_again()
        :: else ->
            atomic {
                accepted = true; due = false;
                one_wins = !(timed_out & BIT(freed));
                assert(one_wins);
                holder_accepts = owner[C] == who;
                assert(holder_accepts);
                release(); check()
            };
            break
        fi
    :: else -> break
    od
}

/* routing.time_outs.time_out_contact */
inline time_out()
{
    do
    :: attempt < ATTEMPTS ->
        atomic {                                            /* find_due */
            has_ended = !due || accepted || status[C] != ASSIGNED;
            was_offers = offers;
            freed = owner[C]; from = source[C]; refusing = given_back[C] | (freed == NOBODY -> 0 : BIT(freed));
            may_crash()
        };
        if
        :: has_ended -> break
        :: else
        fi;
        assign(from, refusing, freed, C);
        lock_operator(freed);
#ifndef WITHOUT_LOOK_AGAIN
        if
        :: !is_lost ->                                      /* lock_due_contact */
            atomic {
                contact_lock[C] == 0 -> contact_lock[C] = ME;
                is_lost = !AS_READ(freed, false) || !due || offers != was_offers;
                may_crash()
            }
        :: else
        fi;
#endif
        if
        :: !is_lost ->
            atomic {                                        /* Offer.move */
                contact_lock[C] == 0 || contact_lock[C] == ME -> contact_lock[C] = ME;
                is_lost = !AS_READ(freed, false);
                may_crash()
            }
        :: else
        fi;
        if
        :: is_lost -> start_again()
        :: else ->
            atomic {
                one_wins = !accepted && !(timed_out & BIT(freed));
                assert(one_wins);
                clock_runs = due;
                assert(clock_runs);
                due = false;
                offers++;
                timed_out = timed_out | BIT(freed)
            };
            commit(C, (chosen == NOBODY -> WAITING : ASSIGNED), chosen, freed, BIT(freed));
            break
        fi
    :: else -> break
    od
}

/* routing.operator_actions.set_duty with due_moments.stop_clock: what is left of the time is kept. */
inline go_off_duty(who)
{
    lock_operator(who);
    has_ended = !HAS(C, who);
    if
    :: has_ended
    :: else -> atomic { contact_lock[C] == 0 -> contact_lock[C] = ME; may_crash() }
    fi;
    atomic { on_duty[who] = false; due = (HAS(C, who) -> false : due); release(); check() }
}

/* routing.handover.hand_over, of one contact. See handover.pml. */
inline hand_over(who)
{
    atomic { to_lock = BIT(who) | (HAS(C, who) -> roster[source[C]] : 0); may_crash() };
    lock_all();
    atomic {
        has_ended = !HAS(C, who);
        was_accepted = accepted;
        from = source[C];
        refusing = given_back[C] | BIT(who);
        if
        :: !has_ended -> draw(from, refusing)
        :: else
        fi;
        may_crash()
    };
    if
    :: has_ended -> atomic { release() }
    :: else ->
        atomic { contact_lock[C] == 0 -> contact_lock[C] = ME; may_crash() };
        atomic {
            change_loads(chosen, who);                      /* whether or not the contact is found as it was read */
            if
            :: AS_READ(who, was_accepted) ->
                status[C] = (chosen == NOBODY -> WAITING : ASSIGNED); owner[C] = chosen;
                accepted = false; due = false; offers++
            :: else
            fi;
            release(); check()
        }
    fi
}

/* routing.lifecycle.resolve_contact */
inline resolve()
{
    do
    :: attempt < ATTEMPTS ->
        atomic { has_ended = status[C] == RESOLVED; was = status[C]; freed = owner[C]; was_accepted = accepted; may_crash() };
        if
        :: has_ended -> break
        :: else
        fi;
        lock_operator(freed);
        atomic {
            contact_lock[C] == 0 -> contact_lock[C] = ME;
            is_lost = status[C] != was || owner[C] != freed || accepted != was_accepted;
            may_crash()
        };
        if
        :: is_lost -> start_again()
        :: else -> atomic { due = false; commit(C, RESOLVED, NOBODY, freed, 0) }; break
        fi
    :: else -> break
    od
}

#define Accept(who) Process(ACCEPT, who)
#define TimeOut() Process(TIME_OUT, 0)
#define GoOffDuty(who) Process(GO_OFF_DUTY, who)
#define HandOver(who) Process(HAND_OVER, who)
#define Resolve() Process(RESOLVE, 0)
mtype = { ACCEPT, TIME_OUT, GO_OFF_DUTY, HAND_OVER, RESOLVE };

proctype Process(mtype verb; byte x)
{
    byte attempt, chosen = NOBODY, to_lock, from, refusing, freed = NOBODY;
    byte was_offers;
    bool is_lost, is_awaited, has_ended, was_accepted;
    mtype was = ABSENT;
    if
    :: verb == ACCEPT -> accept(x)
    :: verb == TIME_OUT -> time_out()
    :: verb == GO_OFF_DUTY -> go_off_duty(x)
    :: verb == HAND_OVER -> hand_over(x)
    :: verb == RESOLVE -> resolve()
    fi;
gone:
    atomic { release(); x = 0; attempt = 0; chosen = NOBODY; freed = NOBODY; from = 0; refusing = 0; was_offers = 0 }
}

/* The moment comes while its operator is on duty, once for each who has it. */
proctype Moment()
{
    byte times;
    do
    :: atomic { status[C] == ASSIGNED && !accepted && !due && on_duty[owner[C]] && times < 2 -> due = true; times++ }
    :: true -> break
    od
}

init {
    atomic {
        on_duty[0] = true; on_duty[1] = true; roster[0] = BIT(0) | BIT(1);
        owner[C] = 0; status[C] = ASSIGNED; load[0] = 1; stored = 1; due = true;
        run Moment();
        SCENARIO
    };
    _nr_pr == 1;
    atomic { check() }
}
