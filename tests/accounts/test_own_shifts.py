"""Operators see their own shifts and pause themselves; they change nothing else, and nobody else."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import OPERATOR, SUPERVISOR
from operators.models import Operator
from routing import duty_edges
from tests import characters
from tests.accounts import people

pytestmark = pytest.mark.django_db
OWN = reverse("own_shifts")
SHIFTS = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in (1, 2)]


@pytest.fixture
def anna():
    return characters.operator("Anna", user=people.account("anna", OPERATOR))


@pytest.fixture
def browser(anna):
    return people.at_the_browser(anna.user)


def stored(operator):
    return Operator.objects.get(pk=operator.pk)


def test_one_press_pauses_and_another_one_ends_the_pause(browser, anna):
    assert browser.post(OWN, {"do": "pause_30"})["Location"] == OWN
    assert not stored(anna).is_active
    assert "Off duty, paused until" in browser.get(OWN).text
    assert browser.post(OWN, {"do": "resume"})["Location"] == OWN
    assert stored(anna).is_active


def test_schedule_and_absences_are_shown(browser, anna):
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="Europe/Moscow", shifts=SHIFTS)
    tomorrow = timezone.now() + timedelta(days=1)
    duty_edges.add_absence(operator_id=anna.pk, start=tomorrow, end=tomorrow + timedelta(hours=2), reason="Dentist")
    page = browser.get(OWN).text
    assert "Mon, Tue 09:00–18:00" in page
    assert "Dentist" in page
    assert "Europe/Moscow" in page


@pytest.mark.parametrize("button", ["absence", "cancel", "schedule"])
def test_nothing_else_is_changed(browser, anna, button):
    start = datetime(2100, 1, 1, tzinfo=UTC)
    absence = duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(days=1))
    sent = {"absence-first_day": "2099-01-01", "absence_id": absence.pk, "time_zone": "UTC", "shifts-0-day": "1"}
    browser.post(OWN, {"do": button, "shifts-0-from": "09:00", "shifts-0-to": "18:00"} | sent)
    assert list(anna.absences.filter(ended_at__isnull=True)) == [absence]
    assert duty_edges.read_schedule(operator_id=anna.pk)["weekly"] == []


def test_the_page_shows_no_button_that_changes_more(browser, anna):
    page = browser.get(OWN).text
    assert [name for name in ("absence", "cancel", "schedule") if f'name="do" value="{name}"' in page] == []


def test_the_page_of_a_colleague_is_refused(browser):
    boris = characters.operator("Boris")
    assert browser.post(f"/admin/operators/operator/{boris.pk}/shifts/", {"do": "pause_30"}).status_code == 403
    assert stored(boris).is_active


def test_an_account_without_an_operator_has_no_shifts():
    assert people.at_the_browser(people.account("boris", OPERATOR)).get(OWN).status_code == 404


def test_a_supervisor_without_an_operator_has_none_either():
    browser = people.at_the_browser(people.account("vera", SUPERVISOR))
    assert browser.get(OWN).status_code == 403
    assert OWN not in browser.get("/admin/routing/contact/").text
