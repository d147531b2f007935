"""The example of docs/reports.md."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from routing import lifecycle, source_actions, taking
from routing.report import GroupBy, ask, read_report
from tests import characters

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)

# registered, assigned, accepted, declined, resolved; wait, first reaction, until resolved in minutes
EXPECTED: dict[str | None, tuple[list[int], list[int | None]]] = {
    "Anna": ([1, 2, 1, 1, 1], [0, 25, 10, 10, 30, 30]),
    "Boris": ([0, 1, 0, 0, 1], [10, 10, None, None, 75, 75]),
    None: ([1, 0, 0, 0, 0], [None] * 6),
    "total": ([2, 3, 1, 1, 2], [10, 25, 10, 10, 30, 75]),
}


def test_the_example():
    anna = characters.operator("Anna", limit=1)
    bot = characters.source(roster={anna: 10})
    with time_machine.travel(NINE, tick=False) as clock:

        def at(minutes):
            clock.move_to(NINE + timedelta(minutes=minutes))

        a = characters.contact(bot).pk
        at(5)
        b = characters.contact(bot).pk
        at(10)
        taking.accept_contact(contact_id=a)
        at(30)
        lifecycle.resolve_contact(contact_id=a)
        at(40)
        taking.decline_contact(contact_id=b)
        at(50)
        source_actions.set_weight(source_id=bot.pk, operator_id=characters.operator("Boris").pk, weight=10)
        at(80)
        lifecycle.resolve_contact(contact_id=b)
    report = read_report(ask(group_by=GroupBy.OPERATOR, since=NINE, until=NINE + timedelta(hours=2)))
    for row in [*report.rows, report.total]:
        values = row.values()
        counts, minutes = EXPECTED["total" if row is report.total else row.name]
        assert [values[name] for name in ("registered", "assigned", "accepted", "declined", "resolved")] == counts
        durations = [value for name, value in values.items() if "_p" in name]
        exact = [one if one is None else pytest.approx(60 * one, rel=0.1) for one in minutes]
        assert durations == exact
    assert {row.name for row in report.rows} == EXPECTED.keys() - {"total"}
