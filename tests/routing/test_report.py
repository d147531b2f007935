"""Reports: what each figure means, and that it does not matter what is in the tallies already."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from core.errors import Invalid, Unknown
from leads import erasure
from operators.models import Operator
from routing import lifecycle, operator_actions, source_actions, taking
from routing.models import ReportTally
from routing.report import GroupBy, ask, read_report, tallying
from routing.report.figures import STEP
from tests import characters

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def at(moment):
    return time_machine.travel(moment, tick=False)


def report(group_by=GroupBy.OPERATOR, since=MORNING - HOUR, until=MORNING + DAY, **asked):
    return read_report(ask(group_by=group_by, since=since, until=until, **asked))


def rows(*args, **asked):
    """By name, the figures that are neither 0 nor None."""
    return {
        row.name: {name: value for name, value in row.values().items() if value and name != "on_duty_seconds"}
        for row in report(*args, **asked).rows
    }


def about(seconds):
    """Within one step of a histogram."""
    return pytest.approx(seconds, rel=STEP - 1)


def test_a_contact_that_waits_is_counted_for_nobody_and_then_for_its_operator(anna, bot):
    with at(MORNING):
        first, second = characters.contact(bot), characters.contact(bot)
    with at(MORNING + 10 * MINUTE):
        lifecycle.resolve_contact(contact_id=first.pk)
    found = rows()
    assert found[None] == {"registered": 1}
    waits = {"waiting_p90": about(600)}
    assert found["Anna"] == waits | {
        "registered": 1,
        "assigned": 2,
        "resolved": 1,
        "resolution_p50": about(600),
        "resolution_p90": about(600),
    }
    assert second.operator_id is None


def test_the_first_reaction_counts_once_from_the_assignment(anna, bot):
    with at(MORNING):
        contact = characters.contact(bot)
    with at(MORNING + MINUTE):
        taking.accept_contact(contact_id=contact.pk)
    with at(MORNING + HOUR):
        taking.touch_contact(contact_id=contact.pk)
    mine = rows()["Anna"]
    assert (mine["accepted"], mine["first_reaction_p50"], mine["first_reaction_p90"]) == (1, about(60), about(60))


def test_a_declined_contact_counts_for_the_one_who_declined(anna, bot):
    boris = characters.operator("Boris")
    with at(MORNING):
        contact = characters.contact(bot)
        source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=10)
        taking.decline_contact(contact_id=contact.pk)
    found = rows()
    assert found["Anna"] == {"registered": 1, "assigned": 1, "declined": 1}
    assert found["Boris"] == {"assigned": 1}


def test_counts_belong_to_the_hour_of_their_event(anna, bot):
    with at(MORNING):
        contact = characters.contact(bot)
    with at(MORNING + 2 * HOUR):
        lifecycle.resolve_contact(contact_id=contact.pk)
    found = rows(GroupBy.HOUR, until=MORNING + 3 * HOUR)
    assert [len(its) > 0 for its in found.values()] == [False, True, False, True, False]
    assert found["2026-03-02T11:00:00+00:00"].keys() == {"resolved", "resolution_p50", "resolution_p90"}


def test_days_are_those_of_the_zone(anna, bot):
    with at(datetime(2026, 3, 1, 22, 30, tzinfo=UTC)):
        characters.contact(bot)
    found = rows(GroupBy.DAY, since=MORNING - 2 * DAY, zone=ZoneInfo("Europe/Moscow"))
    assert [name for name, its in found.items() if its] == ["2026-03-02"]
    assert list(found) == ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"]


def test_a_day_of_25_hours_is_one_day():
    berlin = ZoneInfo("Europe/Berlin")
    since, until = datetime(2026, 10, 25, tzinfo=berlin), datetime(2026, 10, 26, tzinfo=berlin)
    assert list(rows(GroupBy.DAY, since, until, zone=berlin)) == ["2026-10-25"]
    assert len(rows(GroupBy.HOUR, since, until, zone=berlin)) == 25


def test_time_on_duty_ends_when_the_operator_is_switched_off(anna, bot):
    Operator.objects.update(created_at=MORNING - DAY)
    with at(MORNING + 90 * MINUTE):
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    found = report(since=MORNING - 15 * MINUTE, until=MORNING + DAY)
    assert [(row.name, row.on_duty_seconds) for row in found.rows] == [("Anna", 105 * 60)]
    by_hour = report(GroupBy.HOUR, MORNING - 15 * MINUTE, MORNING + 3 * HOUR)
    assert [row.on_duty_seconds for row in by_hour.rows] == [3600, 2700, 0, 0]
    assert by_hour.total.on_duty_seconds == 105 * 60
    assert report(GroupBy.SOURCE).total.on_duty_seconds is None


def test_archived_operators_and_erased_clients_stay_counted(anna, bot):
    with at(MORNING):
        contact = characters.contact(bot, message="secret")
    before = rows()
    with at(MORNING + MINUTE):
        erasure.erase_lead(lead_id=contact.lead_id)
        lifecycle.resolve_contact(contact_id=contact.pk)
        operator_actions.archive_operator(operator_id=anna.pk)
    assert {name: rows()["Anna"][name] for name in before["Anna"]} == before["Anna"]


def test_rows_add_up_to_the_total(anna, bot):
    other = characters.source(roster={anna: 10})
    with at(MORNING):
        for source in (bot, other, bot, other):
            characters.contact(source)
    for group_by in GroupBy:
        found = report(group_by)
        assert sum(row.figures.counts["registered"] for row in found.rows) == 4
        assert found.total.figures.counts["registered"] == 4
    assert report(source_id=bot.pk).total.figures.counts["registered"] == 2
    assert report(GroupBy.SOURCE, operator_id=anna.pk).total.figures.counts["registered"] == 1


def test_nothing_happened_is_a_report(anna):
    found = report(GroupBy.SOURCE)
    assert (found.rows, found.total.values()["registered"], found.total.values()["waiting_p50"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": MORNING, "until": MORNING}, "to"),
        ({"since": MORNING, "until": MORNING - HOUR}, "to"),
        ({"since": MORNING - 3_700 * DAY, "until": MORNING}, "from"),
        ({"group_by": GroupBy.HOUR, "since": MORNING - 367 * DAY, "until": MORNING}, "from"),
    ],
)
def test_a_bad_question_is_refused(asked, field):
    with pytest.raises(Invalid) as refused:
        ask(**{"group_by": GroupBy.DAY} | asked)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize("asked", [{"source_id": 987_654}, {"operator_id": 987_654}])
def test_what_has_never_existed_is_unknown(asked):
    with pytest.raises(Unknown):
        ask(group_by=GroupBy.DAY, **asked)


@pytest.mark.django_db(transaction=True)
def test_tallies_change_no_answer(anna, bot):
    with at(MORNING):
        contacts = [characters.contact(bot) for _ in range(3)]
    with at(MORNING + 40 * MINUTE):
        lifecycle.resolve_contact(contact_id=contacts[0].pk)
    questions = [(group_by, since) for group_by in GroupBy for since in (MORNING - 40 * DAY, MORNING - HOUR)]
    before = [rows(*question) for question in questions]
    assert tallying.tally_all() == 5
    assert ReportTally.objects.exists()
    assert [rows(*question) for question in questions] == before
    with at(MORNING + 2 * HOUR):
        lifecycle.resolve_contact(contact_id=contacts[1].pk)
    between = [rows(*question) for question in questions]
    assert between != before
    assert tallying.tally_all() == 2
    assert [rows(*question) for question in questions] == between
    tallying.forget_tallies()
    assert [rows(*question) for question in questions] == between


@pytest.mark.django_db(transaction=True)
def test_much_work_is_done_in_parts(anna, bot, monkeypatch):
    monkeypatch.setattr(tallying, "AT_ONCE", 2)
    with at(MORNING):
        for _ in range(5):
            characters.contact(bot)
    goes_on = iter([True, False])
    assert tallying.tally_when_due(go_on=lambda: next(goes_on)) == 2
    assert report().total.figures.counts["registered"] == 5
    assert tallying.tally_all() == 3


@pytest.mark.django_db(transaction=True)
def test_rows_are_tallied_once_their_hour_is_over(anna, bot):
    with at(MORNING):
        characters.contact(bot)
        assert tallying.tally_when_due() == 0
    with at(MORNING + HOUR):
        assert tallying.tally_when_due() == 1
        assert tallying.tally_when_due() == 0
