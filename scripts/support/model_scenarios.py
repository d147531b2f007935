"""What `scripts/model` checks: which rows there are in the beginning, which processes run, and which guard is needed.

Each control is the same scenario without one guard, so that nothing else can be the cause of what Spin finds then.
"""

from dataclasses import dataclass, field

DEADLOCK = "invalid end state"  # Spin's words for processes that wait for each other

ONE = "start_operator(0, 1)"
TWO = f"{ONE}; start_operator(1, 1)"
SHARED = "start_operator(0, 3); start_operator(1, 3); start_operator(2, 2)"  # two sources, two of three for both


@dataclass(frozen=True, slots=True)
class Scenario:
    """`defines`: macros of the model. `controls`: each guard with the assertion that fails without it, or DEADLOCK."""

    title: str
    model: str
    defines: tuple[str, ...]
    controls: dict[str, str] = field(default_factory=dict)


def routing(title: str, start: str, run: str, *defines: str, **controls: str) -> Scenario:
    return Scenario(title, "routing", (f"START={start}", f"SCENARIO={run}", *defines), controls)


def other(model: str, title: str, run: str, *defines: str, **controls: str) -> Scenario:
    return Scenario(title, model, (f"SCENARIO={run}", *defines), controls)


SMALL = [
    routing(
        "two clients, one place that becomes free, a crash",
        f"{ONE}; start_assigned(0, 0)",
        "run Register(0); run Register(0); run Resolve(0)",
        "CRASHES=1",
        WITHOUT_SECOND_CHECK="limit_is_kept",
        WITHOUT_ONE_TRANSACTION="load_is_count",
        WITHOUT_SWEEP="nobody_waits",
    ),
    routing(
        "the same without a crash and without a sweep",
        f"{ONE}; start_assigned(0, 0)",
        "run Register(0); run Register(0); run Resolve(0)",
        "WITHOUT_SWEEP",
        WITHOUT_DRAIN="nobody_waits",
        WITHOUT_SECOND_LOOK="nobody_waits",
    ),
    routing(
        "a sweep beside a client and a place that becomes free, a crash",
        f"{ONE}; start_assigned(0, 0)",
        "run Register(0); run Resolve(0); run Sweep()",
        "CRASHES=1",
    ),
    routing(
        "three clients, two places",
        TWO,
        "run Register(0); run Register(0); run Register(0)",
        "ATTEMPTS=2",
        WITHOUT_OPERATOR_LOCK="limit_is_kept",
        WITHOUT_PATIENCE="registration_succeeds",
    ),
    routing(
        "one contact is resolved twice, a crash",
        f"{ONE}; start_assigned(0, 0); start_assigned(0, 0)",
        "run Resolve(0); run Resolve(0)",
        "LIMIT=2",
        "CRASHES=1",
        WITHOUT_COMPARISON="load_is_count",
    ),
    routing(
        "two operators decline to each other, one is resolved, a crash",
        f"{TWO}; start_assigned(0, 0); start_assigned(0, 1)",
        "run Decline(0, 0); run Decline(1, 1); run Resolve(0)",
        "LIMIT=2",
        "CRASHES=1",
        WITHOUT_KEY_ORDER=DEADLOCK,
    ),
    routing(
        "one is declined while an older one waits, a third is resolved, a crash",
        "start_operator(0, 1); start_operator(1, 3); start_waiting(1); start_assigned(0, 0); start_assigned(0, 1)",
        "run Decline(1, 0); run Resolve(2)",
        "CRASHES=1",
        "ATTEMPTS=4",
    ),
    routing(
        "one is given by hand while two come, a crash",
        f"{TWO}; start_assigned(0, 0)",
        "run Give(0, 1); run Register(0); run Register(0)",
        "CRASHES=1",
        WITHOUT_SECOND_CHECK="limit_is_kept",
        WITHOUT_OPERATOR_LOCK="limit_is_kept",
    ),
    routing(
        "somebody comes on duty, without a sweep",
        f"{TWO}; start_assigned(0, 0); on_duty[1] = false",
        "run Register(0); run Register(0); run SetDuty(1, true)",
        "WITHOUT_SWEEP",
        WITHOUT_DRAIN="nobody_waits",
        WITHOUT_SECOND_LOOK="nobody_waits",
    ),
    routing(
        "a hand-over, while one is resolved and one comes",
        f"{TWO}; start_assigned(0, 0); start_assigned(0, 1)",
        "run HandOver(0); run Resolve(0); run Register(0)",
        "HANDOVER",
        "LIMIT=2",
        WITHOUT_READING_UNDER_LOCKS="load_is_count",
    ),
    routing(
        "two operators hand over at the same moment, a crash",
        f"{TWO}; start_assigned(0, 0); start_assigned(0, 1)",
        "run HandOver(0); run HandOver(1)",
        "HANDOVER",
        "LIMIT=2",
        "CRASHES=1",
        WITHOUT_KEY_ORDER=DEADLOCK,
    ),
    routing(
        "a hand-over over two sources, one is declined, one comes, a crash",
        f"{SHARED}; start_assigned(0, 0); start_assigned(0, 1)",
        "run HandOver(0); run Decline(1, 1); run Register(1)",
        "HANDOVER",
        "LIMIT=2",
        "CRASHES=1",
    ),
    other(
        "timeout",
        "two operators take it, two clocks take it away",
        "run Accept(0); run Accept(1); run TimeOut(); run TimeOut()",
        WITHOUT_COMPARISON="one_wins",
        WITHOUT_EXPECTED_OPERATOR="holder_accepts",
    ),
    other(
        "timeout",
        "the operator goes off duty, a crash",
        "run Accept(0); run TimeOut(); run GoOffDuty(0)",
        "CRASHES=1",
        WITHOUT_LOOK_AGAIN="clock_runs",
    ),
    other(
        "timeout",
        "hand-over and resolving beside it",
        "run Accept(0); run TimeOut(); run HandOver(0); run Resolve()",
        WITHOUT_LOCK_TO_ACCEPT="load_is_count",
    ),
    other(
        "events",
        "three writers, two of one contact, a crash",
        "run Write(0, NONE); run Write(0, NONE); run Write(1, NONE); run FanOut()",
        "CRASHES=1",
        WITHOUT_WINDOWS="none_skipped",
        WITHOUT_OLDEST="none_skipped",
        WITHOUT_ORDER_OF_CONTACT="in_order",
        WITHOUT_CONTACT_LOCK="in_order",
        WITHOUT_ONE_TRANSACTION="none_twice",
    ),
    other(
        "events",
        "two readers with one position, pages of two",
        "run Write(0, 1); run Write(1, NONE); run FanOut(); run FanOut()",
        "PAGE=2",
        WITHOUT_POSITION_CHECK="none_twice",
    ),
]

LARGE = [
    routing(
        "two clients, one place that becomes free, two crashes, two lost races before the roster is locked",
        f"{ONE}; start_assigned(0, 0)",
        "run Register(0); run Register(0); run Resolve(0)",
        "PATIENCE=2",
        "ATTEMPTS=4",
        "CRASHES=2",
    ),
    routing(
        "clients of two sources, one is resolved, without a sweep",
        f"{SHARED}; start_assigned(0, 0); start_assigned(0, 1)",
        "run Register(0); run Register(1); run Resolve(0)",
        "WITHOUT_SWEEP",
    ),
    other(
        "timeout",
        "two operators, two clocks, hand-over",
        "run Accept(0); run Accept(1); run TimeOut(); run TimeOut(); run HandOver(0)",
    ),
    other(
        "events",
        "three writers, two readers",
        "run Write(0, NONE); run Write(0, NONE); run Write(1, NONE); run FanOut(); run FanOut()",
    ),
    routing(
        "a hand-over, one is declined, one resolved, one comes",
        f"{SHARED}; start_assigned(0, 0); start_assigned(0, 1)",
        "run HandOver(0); run Decline(1, 1); run Register(1); run Resolve(0)",
        "HANDOVER",
    ),
]
