"""The page of an operator's shifts: pause, absences and schedule; what is wrong stands beside its field."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse

from operators.models import Operator
from routing import duty_edges, operator_actions
from tests import characters
from tests.admin import pages

MONDAY_NOON = datetime(2026, 12, 7, 12, tzinfo=UTC)
WORKDAYS = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in range(1, 6)]


@pytest.fixture(autouse=True)
def monday(db):
    with time_machine.travel(MONDAY_NOON, tick=False):
        yield


@pytest.fixture
def anna(monday):
    return characters.operator("Anna")


def shifts(operator):
    return reverse("admin:operators_operator_shifts", args=[operator.pk])


def press(client, operator, button, **sent):
    return client.post(shifts(operator), {"do": button} | sent)


def stored(operator):
    return Operator.objects.get(pk=operator.pk)


def absence(**fields):
    return {f"absence-{name}": value for name, value in ({"first_day": "2026-12-14"} | fields).items()}


def errors(response, form):
    return dict(getattr(response.context["forms"], form).errors)


def times(operator):
    return list(operator.absences.order_by("start").values_list("start", "end"))


@pytest.mark.parametrize(("button", "until"), [("pause_30", "12:30"), ("pause_60", "13:00")])
def test_one_press_pauses_and_another_ends_it(supervisor, anna, button, until):
    assert pages.said(press(supervisor, anna, button)) == [f"Anna: paused until {until}."]
    assert not stored(anna).is_active
    assert f"Off duty, paused until {until}" in supervisor.get(shifts(anna)).text
    assert pages.said(press(supervisor, anna, "resume")) == ["Anna is on duty again."]
    assert stored(anna).is_active


@pytest.mark.parametrize(("clock", "day"), [("14:30", 7), ("11:00", 8)])
def test_a_pause_lasts_until_the_clock_shows_that_time_next(supervisor, anna, clock, day):
    press(supervisor, anna, "pause_until", **{"pause-until": clock})
    hour, minute = map(int, clock.split(":"))
    assert stored(anna).paused_until == datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def test_a_time_that_is_none_stands_beside_its_field(supervisor, anna):
    answer = press(supervisor, anna, "pause_until", **{"pause-until": "later"})
    assert list(errors(answer, "pause")) == ["until"]
    assert stored(anna).paused_until is None


def test_an_absence_of_whole_days_is_added(supervisor, anna):
    press(supervisor, anna, "absence", **absence(last_day="2026-12-18", reason="Vacation", handover="on"))
    assert times(anna) == [(datetime(2026, 12, 14, tzinfo=UTC), datetime(2026, 12, 19, tzinfo=UTC))]
    assert anna.absences.get().handover
    page = supervisor.get(shifts(anna)).text
    assert "14 Dec 2026 – 18 Dec 2026" in page
    assert page.count("Vacation") == 6  # in the list, and on each day of the plan


def test_an_absence_of_hours_is_read_on_the_operators_clock(supervisor, anna):
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="Asia/Vladivostok", shifts=WORKDAYS)
    press(supervisor, anna, "absence", **absence(start_time="10:00", end_time="12:00"))
    assert times(anna) == [(datetime(2026, 12, 14, 0, tzinfo=UTC), datetime(2026, 12, 14, 2, tzinfo=UTC))]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"first_day": ""}, "first_day"),
        ({"first_day": "tomorrow"}, "first_day"),
        ({"first_day": "9999-12-31"}, "first_day"),
        ({"last_day": "0001-01-01"}, "last_day"),
        ({"last_day": "2026-12-13"}, "last_day"),
        ({"first_day": "2026-12-01", "last_day": "2026-12-06"}, "last_day"),
        ({"start_time": "12:00", "end_time": "12:00"}, "end_time"),
        ({"start_time": "25:00"}, "start_time"),
        ({"first_day": "2026-12-07", "end_time": "11:00"}, "end_time"),
        ({"reason": "x" * 201}, "reason"),
    ],
    ids=str,
)
def test_a_bad_absence_is_refused_at_its_field_and_nothing_typed_is_lost(supervisor, anna, sent, field):
    answer = press(supervisor, anna, "absence", **absence(reason="Vacation") | absence(**sent))
    assert list(errors(answer, "absence")) == [field]
    shown = answer.context["forms"].absence
    assert {name: shown[name].value() for name in sent} == sent
    assert times(anna) == []


def test_an_overlap_names_the_other_absence(supervisor, anna):
    press(supervisor, anna, "absence", **absence(last_day="2026-12-18"))
    answer = press(supervisor, anna, "absence", **absence(first_day="2026-12-18"))
    expected = "There is another absence at that time: 14 Dec 2026 – 18 Dec 2026."
    assert errors(answer, "absence") == {"first_day": [expected]}
    assert len(times(anna)) == 1


def test_an_absence_is_called_off(supervisor, anna):
    press(supervisor, anna, "absence", **absence())
    cancelled = anna.absences.get()
    answer = press(supervisor, anna, "cancel", absence_id=cancelled.pk)
    assert pages.said(answer)[-1] == "The absence was called off."
    assert "No absence is planned." in supervisor.get(shifts(anna)).text
    answer = press(supervisor, anna, "cancel", absence_id=cancelled.pk)
    assert pages.said(answer)[-1] == "It no longer exists, or is archived."


def test_an_absence_of_somebody_else_is_not_called_off(supervisor, anna):
    boris = characters.operator("Boris")
    press(supervisor, boris, "absence", **absence())
    press(supervisor, anna, "cancel", absence_id=boris.absences.get().pk)
    assert boris.absences.filter(ended_at__isnull=True).exists()


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "-1"])
def test_an_absence_that_is_none_is_told(supervisor, anna, number):
    assert len(pages.said(press(supervisor, anna, "cancel", absence_id=number))) == 1


def schedule(**sent):
    rows = {"time_zone": "UTC", "shifts-0-day": ["1", "2"], "shifts-0-from": "09:00", "shifts-0-to": "18:00"}
    return rows | sent


def test_a_schedule_is_saved_and_shown(supervisor, anna):
    assert pages.said(press(supervisor, anna, "schedule", **schedule())) == ["The schedule was saved."]
    page = supervisor.get(shifts(anna))
    assert page.context["weekly"] == ["Mon, Tue 09:00–18:00"]
    assert [day.hours for day in page.context["days"][:3]] == ["09:00–18:00", "09:00–18:00", "–"]
    assert "On duty, until 18:00" in page.text


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"time_zone": "Europe/Nowhere"}, "time_zone"),
        ({"shifts-0-from": ""}, "shifts"),
        ({"shifts-0-from": "18:00"}, "shifts"),
        ({"shifts-0-day": []}, "shifts"),
    ],
    ids=str,
)
def test_a_bad_schedule_is_refused_at_its_field(supervisor, anna, sent, field):
    answer = press(supervisor, anna, "schedule", **schedule(**sent))
    assert list(errors(answer, "schedule")) == [field]
    assert duty_edges.read_schedule(operator_id=anna.pk)["weekly"] == []


def test_a_schedule_that_somebody_else_has_changed_is_overwritten_only_after_a_word(supervisor, anna):
    shown = supervisor.get(shifts(anna)).context["forms"].schedule["shown"].value()
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="UTC", shifts=WORKDAYS)
    answer = press(supervisor, anna, "schedule", **schedule(shown=shown))
    [told] = errors(answer, "schedule")["shifts"]
    assert "Now: Mon, Tue, Wed, Thu, Fri 09:00–18:00." in told
    assert duty_edges.read_schedule(operator_id=anna.pk)["weekly"] == WORKDAYS
    again = answer.context["forms"].schedule["shown"].value()
    press(supervisor, anna, "schedule", **schedule(shown=again))
    assert len(duty_edges.read_schedule(operator_id=anna.pk)["weekly"]) == 2


def test_a_page_of_an_archived_operator_is_not_there(supervisor, anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    assert supervisor.get(shifts(anna)).status_code == 404
    assert press(supervisor, anna, "pause_30").status_code == 404
    assert "shifts" not in pages.offered(supervisor, anna)


def test_the_page_of_an_operator_leads_to_the_shifts(supervisor, anna):
    assert pages.offered(supervisor, anna)[0] == "shifts"


def test_a_button_that_is_none_does_nothing(supervisor, anna):
    assert press(supervisor, anna, "nonsense").status_code == 302


def duty(supervisor):
    page = supervisor.get(pages.listing(Operator))
    return [page.context["cl"].model_admin.duty(operator) for operator in page.context["cl"].result_list]


def test_the_list_says_what_changes_the_duty_next(supervisor):
    names = ("at work", "late", "off on friday", "on leave", "paused", "switched")
    made = {name: characters.operator(name) for name in names}
    duty_edges.set_schedule(operator_id=made["at work"].pk, time_zone="UTC", shifts=WORKDAYS)
    duty_edges.set_schedule(operator_id=made["late"].pk, time_zone="UTC", shifts=WORKDAYS)
    operator_actions.change_operator(operator_id=made["late"].pk, changes={"is_active": False})
    start, end = datetime(2026, 12, 11, tzinfo=UTC), datetime(2026, 12, 12, tzinfo=UTC)
    duty_edges.add_absence(operator_id=made["off on friday"].pk, start=start, end=end)
    duty_edges.add_absence(operator_id=made["on leave"].pk, start=MONDAY_NOON, end=datetime(2026, 12, 19, tzinfo=UTC))
    duty_edges.pause_operator(operator_id=made["paused"].pk, minutes=30)
    said = ["until 18:00", "on duty from Tue 09:00", "absent from Fri 00:00", "absent until 19 Dec 2026"]
    said += ["paused until 12:30", "Shifts"]
    assert [words in cell for words, cell in zip(said, duty(supervisor), strict=True)] == [True] * 6


def test_selected_operators_are_paused_and_come_back(supervisor, anna):
    boris = characters.operator("Boris")
    assert pages.said(pages.run(supervisor, "pause_selected", anna, boris)) == ["2 operators are paused."]
    assert not Operator.objects.filter(is_active=True).exists()
    assert pages.said(pages.run(supervisor, "resume_selected", anna))[-1] == "1 operator is not paused."
    assert list(Operator.objects.filter(is_active=True)) == [anna]
