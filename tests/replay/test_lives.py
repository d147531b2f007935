"""Which events can follow which, and what a contact is after them. Anna is 1, Boris 2."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.replay.lives import Event, Life

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
ANNA, BORIS = 1, 2


def events(*steps):
    """Of one contact, a minute apart: what happened, from whom, to whom."""
    return [
        Event(pk, 1, NOON + timedelta(minutes=pk), what, from_operator, to_operator, None, "system", None, 0)
        for pk, (what, from_operator, to_operator) in enumerate(steps)
    ]


def lived(*steps):
    life = Life()
    return life, [problem for event in events(*steps) for problem in life.follow(event)]


def test_a_contact_that_goes_the_long_way():
    life, problems = lived(
        ("registered", None, None),
        ("dequeued", None, ANNA),
        ("timed_out", ANNA, BORIS),
        ("accepted", None, BORIS),
        ("touched", None, BORIS),
        ("resolved", BORIS, None),
        ("reopened", None, BORIS),
        ("declined", BORIS, None),
        ("given", None, ANNA),
        ("handed_over", ANNA, BORIS),
        ("reassigned", BORIS, ANNA),
        ("returned", ANNA, None),
    )
    assert problems == []
    assert (life.operator_id, life.is_waiting, life.is_taken, life.former) == (None, True, False, {ANNA, BORIS})
    assert life.since == NOON + timedelta(minutes=11)


def test_who_has_resolved_it_stays_on_the_row_and_has_no_load():
    life, _ = lived(("registered", None, ANNA), ("accepted", None, ANNA), ("resolved", ANNA, None))
    assert (life.operator_id, life.is_open, life.is_resolved, life.is_taken) == (ANNA, False, True, True)


def test_it_waits_since_it_came_into_the_queue_last():
    life, _ = lived(("registered", None, ANNA), ("returned", ANNA, None))
    assert life.since == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([("dequeued", None, ANNA)], "is the first one"),
        ([("registered", None, ANNA), ("registered", None, ANNA)], "registers it once more"),
        ([("registered", None, ANNA), ("reopened", None, ANNA)], "have not resolved it"),
        ([("registered", None, ANNA), ("resolved", ANNA, None), ("returned", ANNA, None)], "after it was resolved"),
        ([("registered", None, ANNA), ("resolved", ANNA, None), ("resolved", ANNA, None)], "after it was resolved"),
        ([("registered", None, ANNA), ("accepted", None, BORIS)], "is of operator 2, although operator 1 had it"),
        ([("registered", None, None), ("accepted", None, None)], "is of nobody, although it waited"),
        ([("registered", None, ANNA), ("dequeued", None, BORIS)], "from nobody, although operator 1 had it"),
        ([("registered", None, None), ("given", ANNA, BORIS)], "from operator 1, although it waited"),
        ([("registered", None, None), ("returned", None, None)], "from its operator, although it waited"),
        ([("registered", None, ANNA), ("given", ANNA, None)], "gives it to nobody"),
        ([("registered", None, ANNA), ("resolved", BORIS, None)], "from operator 2, although operator 1 had it"),
    ],
)
def test_an_event_that_cannot_follow(steps, text):
    _, problems = lived(*steps)
    assert [text in problem for problem in problems] == [True]
