/* routing.handover.hand_over: the operator goes off duty, and its open contacts go to others or to the queue.

   The operator and all operators of the rosters concerned are locked in key order. The contacts are read under these
   locks, and decided one after another with loads that are counted in memory. All is stored in one commit. */

#define MINE(who) ((HAS(0, who) -> 1 : 0) | (HAS(1, who) -> 2 : 0) | (HAS(2, who) -> 4 : 0) | (HAS(3, who) -> 8 : 0))
#define SOURCE_OF(c, who) (HAS(c, who) -> BIT(source[c]) : 0)
#define SOURCES_OF(who) (SOURCE_OF(0, who) | SOURCE_OF(1, who) | SOURCE_OF(2, who) | SOURCE_OF(3, who))

#define CAN_GET(o, c, who) (o != who && on_duty[o] && new_load[o] < LIMIT && ON_ROSTER(o, source[c]) \
    && !(given_back[c] & BIT(o)) && !(OLDEST(o) < c))

inline hand_over(who)
{
    do
    :: attempt < ATTEMPTS ->
        atomic {
            looks = looks | SOURCES_OF(who);
#ifdef WITHOUT_READING_UNDER_LOCKS
            mine = MINE(who);
#endif
            to_lock = BIT(who) | (looks & 1 -> roster[0] : 0) | (looks & 2 -> roster[1] : 0);
            may_crash()
        };
#ifdef WITHOUT_KEY_ORDER
        lock_operator(who);
#endif
        lock_all();
        atomic {
#ifndef WITHOUT_READING_UNDER_LOCKS
            mine = MINE(who);
#endif
            is_lost = (SOURCES_OF(who) & ~looks) != 0;
            may_crash()
        };
        if
        :: is_lost -> start_again()
        :: else -> break
        fi
    :: else -> goto gone                                    /* Busy: nothing has changed */
    od;
    atomic {                                                /* Handover.decide for each contact, the oldest first */
        new_load[0] = load[0]; new_load[1] = load[1]; new_load[2] = load[2];
        looks = 0;
        to_lock = (mine -> BIT(who) : 0);                   /* from here on those whose load changes */
        at = 0;
        do
        :: at < CONTACTS && !(mine & BIT(at)) -> at++
        :: at < CONTACTS && mine & BIT(at) ->
            if
            :: CAN_GET(0, at, who) -> target[at] = 0
            :: CAN_GET(1, at, who) -> target[at] = 1
            :: CAN_GET(2, at, who) -> target[at] = 2
            :: else -> target[at] = NOBODY
            fi;
            if
            :: target[at] != NOBODY -> new_load[target[at]]++; to_lock = to_lock | BIT(target[at])
            :: else -> looks = looks | BIT(source[at])      /* its source has one more that waits */
            fi;
            new_load[who] = (new_load[who] -> new_load[who] - 1 : 0);
            at++
        :: else -> break
        od;
        at = 0;
        may_crash()
    };
    do                                                      /* Handover.store: each that is found unchanged */
    :: at < CONTACTS && !(mine & BIT(at)) -> at++
    :: at < CONTACTS && mine & BIT(at) ->
        atomic {
            contact_lock[at] == 0 -> contact_lock[at] = ME;
            mine = (HAS(at, who) -> mine : mine & ~BIT(at));
            at++;
            may_crash()
        }
    :: else -> break
    od;
    atomic {
        on_duty[who] = false;
        for (i : 0 .. OPERATORS - 1) {
            load[i] = (to_lock & BIT(i) -> new_load[i] : load[i]);
            new_load[i] = 0
        }
        to_lock = 0;
        for (i : 0 .. CONTACTS - 1) {
            if
            :: mine & BIT(i) ->
                owner[i] = target[i];
                status[i] = (target[i] == NOBODY -> WAITING : ASSIGNED)
            :: else
            fi;
            target[i] = 0
        }
        i = 0;
        mine = 0;
        at = 0;
        freed = who;
        release();
        check()
    }
}
