/* The rows that the protocol changes, their locks, and what must hold at every commit.

   What a transaction writes is seen by others from its commit on, which is one step. Locks are held until then.
   A statement is one step: it sees what is committed when it begins. A crash is a rollback: the locks are released,
   nothing was written, and the process does nothing more. */

#ifndef LIMIT
#define LIMIT 1     /* of each operator */
#endif
#ifndef CRASHES
#define CRASHES 0   /* at most, of all processes together */
#endif
#ifndef PATIENCE
#define PATIENCE 1  /* lost races, after which the whole roster is locked */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 3
#endif

#define OPERATORS 3
#define CONTACTS 4
#define SOURCES 2
#define NOBODY 3    /* in place of an operator */
#define NONE 4      /* in place of a contact */
#define SWEEPING 4  /* in `looks`, which has sources as bits */
#define ME (_pid + 1)

mtype = { ABSENT, WAITING, ASSIGNED, RESOLVED };

mtype status[CONTACTS] = ABSENT;    /* the index is the id, so it is also the order of age */
byte owner[CONTACTS] = NOBODY;
byte source[CONTACTS];
byte given_back[CONTACTS];          /* operators who have given it back, as bits */
byte stored;                        /* ids that were taken from the sequence */

bool on_duty[OPERATORS];
byte load[OPERATORS];
byte roster[SOURCES];               /* operators as bits */

byte operator_lock[OPERATORS];      /* 0, or the number of the process that holds it */
byte contact_lock[CONTACTS];
byte turn[SOURCES];                 /* the advisory lock of those who drain a source */

byte crashes;

hidden byte i;
hidden byte load_is_count, limit_is_kept, nobody_waits, registration_succeeds;

#define BIT(o) (1 << (o))
#define IS_FREE(o) (on_duty[o] && load[o] < LIMIT)
#define ON_ROSTER(o, s) ((roster[s] & BIT(o)) != 0)
#define CAN_TAKE(o, s, not) (IS_FREE(o) && ON_ROSTER(o, s) && !((not) & BIT(o)))

/* routing.waiting: the contact that has waited longest for an operator. */
#define WAITS_FOR(c, o) (status[c] == WAITING && ON_ROSTER(o, source[c]) && !(given_back[c] & BIT(o)))
#define OLDEST(o) (WAITS_FOR(0, o) -> 0 : (WAITS_FOR(1, o) -> 1 : (WAITS_FOR(2, o) -> 2 : (WAITS_FOR(3, o) -> 3 : NONE))))
#define IS_WAITED_FOR(o) (IS_FREE(o) && OLDEST(o) != NONE)

#define ALL_WAITED_FOR ((IS_WAITED_FOR(0) -> BIT(0) : 0) | (IS_WAITED_FOR(1) -> BIT(1) : 0) \
    | (IS_WAITED_FOR(2) -> BIT(2) : 0))

/* waiting.operators_awaited_by_older */
#define AWAITED_BY_OLDER(c) ((OLDEST(0) < c -> BIT(0) : 0) | (OLDEST(1) < c -> BIT(1) : 0) \
    | (OLDEST(2) < c -> BIT(2) : 0))

#define HAS(c, o) (status[c] == ASSIGNED && owner[c] == o)
#define COUNT(o) (HAS(0, o) + HAS(1, o) + HAS(2, o) + HAS(3, o))

#define UNSERVED(c) (status[c] == WAITING && (CAN_TAKE(0, source[c], given_back[c]) \
    || CAN_TAKE(1, source[c], given_back[c]) || CAN_TAKE(2, source[c], given_back[c])))

/* In an atomic step, after its effect. */
inline may_crash()
{
#if CRASHES
    if
    :: crashes < CRASHES -> crashes++; goto gone
    :: true
    fi
#else
    skip
#endif
}

inline release()
{
    for (i : 0 .. OPERATORS - 1) { if :: operator_lock[i] == ME -> operator_lock[i] = 0 :: else fi }
    for (i : 0 .. CONTACTS - 1) { if :: contact_lock[i] == ME -> contact_lock[i] = 0 :: else fi }
    for (i : 0 .. SOURCES - 1) { if :: turn[i] == ME -> turn[i] = 0 :: else fi }
    i = 0
}

inline check()
{
    for (i : 0 .. OPERATORS - 1) {
        load_is_count = load[i] == COUNT(i);
        assert(load_is_count);
        limit_is_kept = load[i] <= LIMIT;
        assert(limit_is_kept)
    }
    i = 0
}

inline wait_for_operator(o)
{
    atomic { operator_lock[o] == 0 || operator_lock[o] == ME -> operator_lock[o] = ME; may_crash() }
}

/* operators.load.lock_operators */
inline lock_operator(o)
{
#ifndef WITHOUT_OPERATOR_LOCK
    if
    :: o == NOBODY
    :: else -> wait_for_operator(o)
    fi
#else
    skip
#endif
}

/* The same of two, in one statement that locks in key order. The second may be NOBODY. */
inline lock_two(a, b)
{
#ifndef WITHOUT_KEY_ORDER
    if
    :: a < b -> lock_operator(a); lock_operator(b)
    :: else -> lock_operator(b); lock_operator(a)
    fi
#else
    lock_operator(a); lock_operator(b)
#endif
}

/* The same of all operators in `to_lock`, as bits. */
inline lock_all()
{
    if :: to_lock & BIT(0) -> lock_operator(0) :: else fi;
    if :: to_lock & BIT(1) -> lock_operator(1) :: else fi;
    if :: to_lock & BIT(2) -> lock_operator(2) :: else fi;
    to_lock = 0
}

/* routing.selection.choose: the model knows no weights, so any operator who can take it may be drawn. */
inline draw(s, not)
{
    if
    :: CAN_TAKE(0, s, not) -> chosen = 0
    :: CAN_TAKE(1, s, not) -> chosen = 1
    :: CAN_TAKE(2, s, not) -> chosen = 2
    :: else -> chosen = NOBODY
    fi
}

/* Where an update changes an operator's row: it locks it if the transaction has not done so before. */
inline update_operator(o)
{
#ifdef WITHOUT_OPERATOR_LOCK
    if
    :: o == NOBODY
    :: else -> wait_for_operator(o)
    fi
#else
    skip
#endif
}

/* routing.contact_changes.change_contact: the update waits for the row, and finds it only as it was read. */
inline update_contact(c, was_status, was_owner)
{
    atomic {
        contact_lock[c] == 0 || contact_lock[c] == ME -> contact_lock[c] = ME;
#ifndef WITHOUT_COMPARISON
        is_lost = status[c] != was_status || owner[c] != was_owner;
#endif
        may_crash()
    }
}

/* core.db.writes.store and the commit: the places and the contact, or nothing. */
inline commit(c, to_status, taken, freed, refusing)
{
#ifdef WITHOUT_ONE_TRANSACTION
    atomic { change_loads(taken, freed); may_crash() };
#endif
    d_step {
#ifndef WITHOUT_ONE_TRANSACTION
        change_loads(taken, freed);
#endif
        status[c] = to_status;
        owner[c] = taken;
        given_back[c] = given_back[c] | refusing;
        release();
        check()
    }
}

inline change_loads(taken, freed)
{
    if :: taken != NOBODY -> load[taken]++ :: else fi;
    if :: freed != NOBODY && load[freed] > 0 -> load[freed]-- :: else fi
}

inline start_again()
{
    d_step { release(); is_lost = false; chosen = NOBODY; attempt++ }
}
