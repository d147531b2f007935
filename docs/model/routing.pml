/* Registering, resolving, declining, giving by hand, duty, hand-over, and the queue between them.

   START sets the rows up, SCENARIO starts the processes; scripts/model defines both. When all of them have ended, what
   still waits is swept up, and nobody may wait beside a free place. */

#include "rows.pml"
#include "queue.pml"
#include "verbs.pml"

#define Register(s) Process(REGISTER, s, 0)
#define Resolve(c) Process(RESOLVE, c, 0)
#define Decline(c, who) Process(DECLINE, c, who)
#define Give(c, who) Process(GIVE, c, who)
#define SetDuty(who, is_on) Process(SET_DUTY, who, is_on)
#define Sweep() Process(SWEEP, 0, 0)
mtype = { REGISTER, RESOLVE, DECLINE, GIVE, SET_DUTY, SWEEP, HAND_OVER };
#ifdef HANDOVER
#include "handover.pml"
#define HandOver(who) Process(HAND_OVER, who, 0)
#endif

proctype Process(mtype verb; byte x; byte y)
{
    byte attempt, contact = NONE, chosen = NOBODY, awaited = NOBODY, drained, ready, served, to_lock, from, refusing;
    byte freed = NOBODY, looks, passed_over;
    bool is_lost, is_awaited, has_assigned;
    mtype was = ABSENT;
#ifdef HANDOVER
    byte mine, at, new_load[OPERATORS], target[CONTACTS];
#endif
    if
    :: verb == REGISTER -> register(x)
    :: verb == RESOLVE -> resolve(x)
    :: verb == DECLINE -> decline(x, y)
    :: verb == GIVE -> give(x, y)
    :: verb == SET_DUTY -> set_duty(x, y)
    :: verb == SWEEP -> atomic { looks = SWEEPING; has_assigned = true }
#ifdef HANDOVER
    :: verb == HAND_OVER -> hand_over(x)
#endif
    fi;
    serve_after_commit();
gone:
    atomic { release(); x = 0; y = 0 }
}

/* An operator on duty, on the rosters of the sources that are named as bits. */
inline start_operator(o, sources)
{
    on_duty[o] = true;
    roster[0] = roster[0] | (sources & 1 -> BIT(o) : 0);
    roster[1] = roster[1] | (sources & 2 -> BIT(o) : 0)
}

inline start_assigned(s, o)
{
    source[stored] = s; owner[stored] = o; status[stored] = ASSIGNED; load[o]++; stored++
}

inline start_waiting(s)
{
    source[stored] = s; status[stored] = WAITING; stored++
}

init {
    atomic { START; SCENARIO };
    _nr_pr == 1;            /* all is quiet */
#ifndef WITHOUT_SWEEP
    run Sweep();
    _nr_pr == 1;
    run Sweep();            /* the first may have crashed: the sweeper goes on */
    _nr_pr == 1;
#endif
    atomic {
        check();
        nobody_waits = !UNSERVED(0) && !UNSERVED(1) && !UNSERVED(2) && !UNSERVED(3);
        assert(nobody_waits)
    }
}
