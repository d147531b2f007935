/* The feed of events: cursors against transactions that commit late (ADR 0028, PostgreSQL).

   A writer's transaction has a number from its first write on, changes contacts under their locks, and stores a row for
   each change: its id is taken when it is stored, and others see it from the commit on. A reader goes on from a stored
   position, by windows of transactions; delivery and position are one commit. */

#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef PAGE
#define PAGE 1              /* events in one call */
#endif

#define ROWS 4
#define TRANSACTIONS 4
#define CONTACTS 2
#define NONE 255
#define EVERY 255           /* above all numbers */
#define ME (_pid + 1)

byte next_number = 1;       /* of transactions; each writer takes one */
bool is_open[TRANSACTIONS + 1];
byte next_id;               /* of rows */
byte number[ROWS];          /* the transaction of each row; 0: not committed */
byte contact[ROWS];
byte contact_lock[CONTACTS];
byte crashes;

bool delivered[ROWS];
byte position_lock;
byte low, high, place;      /* the position: a window of transactions, and the first id that was not read in it yet */
byte writers, ended;

hidden byte i, j;
hidden byte none_twice, in_order, none_skipped;

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

#define FIRST_OPEN (is_open[1] -> 1 : (is_open[2] -> 2 : (is_open[3] -> 3 : (is_open[4] -> 4 : next_number))))
#define MOST(a, b) ((a) > (b) -> (a) : (b))
#define BELOW(r, end) (number[r] < end -> number[r] : 0)
#define NEWEST_BELOW(end) MOST(MOST(BELOW(0, end), BELOW(1, end)), MOST(BELOW(2, end), BELOW(3, end)))
#define CAN_READ(r, from, to) (number[r] && number[r] >= from && number[r] < to)

/* core.db.commit_order: the transaction has its number from its first write on, which may be elsewhere. */
inline begin()
{
    atomic { mine = next_number; next_number++; is_open[mine] = true; may_crash() }
}

/* The change of a contact, then the row of its history: routing.history.event_of, under the lock of the contact. */
inline change(c)
{
#ifdef WITHOUT_CONTACT_LOCK
    skip;
#else
    atomic { contact_lock[c] == 0 || contact_lock[c] == ME -> contact_lock[c] = ME; may_crash() };
#endif
    atomic {
        rows = rows | (1 << next_id);
        contact[next_id] = c;
        next_id++;
        may_crash()
    }
}

inline end_transaction()
{
    is_open[mine] = false;
    ended++;
    if :: contact_lock[0] == ME -> contact_lock[0] = 0 :: else fi;
    if :: contact_lock[1] == ME -> contact_lock[1] = 0 :: else fi;
    mine = 0
}

/* Changes one contact, or two after each other; NONE in place of the second. */
#define Write(first, second) Writer(first, second); writers++
proctype Writer(byte first; byte second)
{
    byte mine, rows;
    begin();
    change(first);
    if
    :: second != NONE -> change(second)
    :: else
    fi;
    atomic {                                            /* the commit */
        for (i : 0 .. ROWS - 1) {
            if
            :: rows & (1 << i) -> number[i] = mine
            :: else
            fi
        }
        i = 0;
        rows = 0;
        end_transaction()
    };
gone:
    atomic {
        if
        :: mine -> rows = 0; end_transaction()              /* rolled back */
        :: else
        fi
    }
}

/* windows.end_of_settled: the number above the newest row that can be read. Three statements. */
inline find_end_of_settled()
{
    atomic { oldest = FIRST_OPEN; settled = NEWEST_BELOW(EVERY); may_crash() };
#ifndef WITHOUT_OLDEST
    if
    :: settled >= oldest ->
        atomic { oldest = FIRST_OPEN; may_crash() };
        atomic { settled = NEWEST_BELOW(oldest); may_crash() }
    :: else
    fi;
#endif
    settled++
}

/* windows.end_of_window: below any row whose contact has an earlier row beyond the end. */
inline find_end_of_window()
{
    to = settled;
#ifndef WITHOUT_ORDER_OF_CONTACT
    do
    :: to > from ->
        d_step {
            later = EVERY;
            for (i : 0 .. ROWS - 1) {
                for (j : 0 .. ROWS - 1) {
                    if
                    :: i < j && contact[i] == contact[j] && number[i] >= to && CAN_READ(j, from, to) && number[j] < later ->
                        later = number[j]
                    :: else
                    fi
                }
            }
            i = 0; j = 0
        };
        if
        :: later == EVERY -> break
        :: else -> to = later
        fi
    :: else -> break
    od;
    later = 0
#endif
}

/* feed.read_step: the next rows of a window, in the order of their ids, and the place after them. */
inline read_step()
{
    d_step {
        for (i : 0 .. ROWS - 1) {
            if
            :: CAN_READ(i, from, to) && i >= next && taken < PAGE -> page = page | (1 << i); taken++; next = i + 1
            :: else
            fi
        }
        i = 0
    }
}

/* The deliveries and the position, in one transaction, unless another worker has moved the position. */
inline deliver()
{
    atomic { position_lock == 0 -> position_lock = ME; may_crash() };
    if
#ifndef WITHOUT_POSITION_CHECK
    :: low != was_low || high != was_high || place != was_next -> position_lock = 0
#endif
    :: else ->
        atomic {
            for (i : 0 .. ROWS - 1) {
                if
                :: page & (1 << i) ->
                    none_twice = !delivered[i];
                    assert(none_twice);
                    delivered[i] = true;
                    for (j : 0 .. ROWS - 1) {
                        in_order = !(j > i && contact[i] == contact[j] && delivered[j]);
                        assert(in_order)
                    }
                :: else
                fi
            }
            i = 0; j = 0;
#ifdef WITHOUT_ONE_TRANSACTION
            may_crash()
        };
        atomic {
#endif
            low = from; high = to; place = next;
            position_lock = 0
        }
    fi
}

inline clear()
{
    d_step { settled = 0; oldest = 0; later = 0; from = 0; to = 0; next = 0; page = 0; taken = 0; is_over = false }
}

/* webhooks.fan_out.fan_out_page, until nobody writes and nothing is left. */
proctype FanOut()
{
    byte settled, oldest, later, from, to, next, page, taken;
    byte was_low, was_high, was_next;
    bool is_over;
    do
    ::  atomic { is_over = ended == writers; was_low = low; was_high = high; was_next = place; may_crash() };
        from = was_low;
        to = was_high;
        next = was_next;
#ifndef WITHOUT_WINDOWS
        if
        :: from == to -> find_end_of_settled(); find_end_of_window()    /* feed.open_window */
        :: else                                                         /* feed.read_on */
        fi;
#endif
        if
        :: from >= to && is_over -> break
        :: from >= to && !is_over
        :: else ->
            read_step();
#ifdef WITHOUT_WINDOWS
            if
            :: taken -> deliver()
            :: taken == 0 && is_over -> break
            :: else
            fi
#else
            if
            :: taken < PAGE -> atomic { from = to; next = 0 }           /* the window has been read */
            :: else
            fi;
            deliver()
#endif
        fi;
        clear()
    od;
gone:
    atomic {
        if :: position_lock == ME -> position_lock = 0 :: else fi;
        clear();
        was_low = 0; was_high = 0; was_next = 0
    }
}

#define IS_READ(r) (number[r] == 0 || delivered[r])

init {
    atomic {
#ifdef WITHOUT_WINDOWS
        low = 1; high = EVERY;
#endif
        SCENARIO
    };
    _nr_pr == 1;
    run FanOut();           /* a worker that has died is followed by another one, which may die as well */
    _nr_pr == 1;
    run FanOut();
    _nr_pr == 1;
    none_skipped = IS_READ(0) && IS_READ(1) && IS_READ(2) && IS_READ(3);
    assert(none_skipped)
}
