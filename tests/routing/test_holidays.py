"""Public holidays become absences of operators, from midnight to midnight on their clock, and never twice."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command

from core.changes.models import Change
from operators.models import Absence, Operator
from routing import clock, duty_edges, holidays, operator_actions
from tests import characters

SHIFT = [{"weekday": 1, "from": "09:00", "to": "18:00"}]
NEW_YEAR = (date(2027, 1, 1), "New Year")
SECOND = (date(2027, 1, 2), "New Year")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def december():
    with time_machine.travel(datetime(2026, 12, 15, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def anna():
    return characters.operator("Anna")


def spans(operator):
    return list(operator.absences.order_by("start").values_list("start", "end", "reason"))


def import_days(*operators, days=(NEW_YEAR,)):
    return holidays.import_holidays(days=days, operator_ids=[operator.pk for operator in operators])


def test_a_holiday_is_a_day_on_the_clock_of_the_schedule(anna):
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="Asia/Vladivostok", shifts=SHIFT)
    import_days(anna)
    zone = ZoneInfo("Asia/Vladivostok")
    assert spans(anna) == [(datetime(2027, 1, 1, tzinfo=zone), datetime(2027, 1, 2, tzinfo=zone), "New Year")]


def test_without_a_schedule_it_is_a_day_on_the_clock_of_the_service(anna, settings):
    settings.TIME_ZONE = "Europe/Moscow"
    import_days(anna)
    assert spans(anna)[0][0] == datetime(2026, 12, 31, 21, tzinfo=UTC)


def test_a_day_that_begins_after_a_jump_of_the_clock_begins_there():
    start, end = holidays.whole_day(ZoneInfo("America/Sao_Paulo"), date(2018, 11, 4))
    assert (start, end) == (datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(2018, 11, 5, 2, tzinfo=UTC))


def test_importing_again_adds_nothing(anna):
    assert import_days(anna, days=[NEW_YEAR, SECOND]) == holidays.ImportCount(added=2, skipped=0)
    assert import_days(anna, days=[NEW_YEAR, SECOND]) == holidays.ImportCount(added=0, skipped=2)
    assert Absence.objects.count() == 2


def test_who_is_away_anyway_is_skipped_for_that_day_only(anna):
    boris = characters.operator("Boris")
    start, end = datetime(2026, 12, 30, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
    duty_edges.add_absence(operator_id=boris.pk, start=start, end=end, reason="Vacation")
    assert import_days(anna, boris, days=[NEW_YEAR, SECOND]) == holidays.ImportCount(added=3, skipped=1)
    assert [reason for *_, reason in spans(boris)] == ["Vacation", "New Year"]


def test_a_day_that_is_over_is_skipped(anna):
    assert import_days(anna, days=[(date(2026, 11, 4), "Unity Day")]) == holidays.ImportCount(added=0, skipped=1)


def test_an_archived_operator_gets_none(anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    assert import_days(anna) == holidays.ImportCount(added=0, skipped=0)


def test_each_absence_is_recorded(anna):
    import_days(anna, days=[NEW_YEAR, SECOND])
    assert Change.objects.filter(what="operator.absence_added", operator_id=anna.pk).count() == 2


def test_who_comes_on_duty_by_schedule_stays_off_on_the_holiday(anna):
    duty_edges.set_schedule(
        operator_id=anna.pk, time_zone="UTC", shifts=[{"weekday": 5, "from": "09:00", "to": "18:00"}]
    )
    import_days(anna)
    start, end = datetime(2026, 12, 25, tzinfo=UTC), datetime(2027, 1, 8, tzinfo=UTC)
    planned = duty_edges.planned_availability(operator_id=anna.pk, start=start, end=end)
    assert [begin.date() for begin, _ in planned] == [date(2026, 12, 25)]


@pytest.mark.parametrize(("language", "name"), [("ru", "Новогодние каникулы"), ("en", "New Year Holidays")])
def test_names_are_in_the_language_of_the_viewer(language, name):
    assert (date(2027, 1, 1), name) in holidays.public_holidays(country="RU", years=[2027], language=language)


def test_a_language_that_is_not_known_for_a_country_is_english():
    found = holidays.public_holidays(country="DE", years=[2027], language="ru")
    assert found[0] == (date(2027, 1, 1), "New Year's Day")


def test_days_before_a_day_are_left_out():
    found = holidays.public_holidays(country="RU", years=[2027], language="en", since=date(2027, 12, 1))
    assert [day for day, _ in found] == [date(2027, 12, 31)]


def test_countries_have_names_in_order():
    known = holidays.countries()
    assert (known["RU"], known["DE"]) == ("Russia", "Germany")
    assert list(known.values()) == sorted(known.values())


def test_the_command_changes_nothing_unless_confirmed(anna, capsys):
    call_command("import_holidays", "ru", "2027")
    printed = capsys.readouterr().out
    assert "2027-01-01 New Year Holidays" in printed
    assert "20 days would become absences of 1 operators. Nothing was changed: add --yes." in printed
    assert spans(anna) == []


def test_the_confirmed_command_adds_and_counts(anna, capsys):
    call_command("import_holidays", "RU", "2027", "--yes")
    assert "Added 20 absences; skipped 0" in capsys.readouterr().out
    assert len(spans(anna)) == 20


def test_the_command_names_a_country_that_it_does_not_know():
    with pytest.raises(CommandError, match="XX is not a country"):
        call_command("import_holidays", "XX", "2027")


def test_an_operator_without_a_schedule_is_off_duty_on_the_holiday_and_back_after_it(anna):
    import_days(anna, days=[NEW_YEAR, SECOND])
    assert characters.findings() == []
    duty = []
    for day in (1, 2, 3):
        with time_machine.travel(datetime(2027, 1, day, tzinfo=UTC)):
            clock.tick()
            duty.append(Operator.objects.get().is_active)
    assert duty == [False, False, True]


def test_a_holiday_that_is_today_begins_now(anna):
    import_days(anna, days=[(date(2026, 12, 15), "Today")])
    assert Operator.objects.get().is_active is False
    assert characters.findings() == []
