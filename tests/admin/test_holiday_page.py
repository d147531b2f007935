"""Supervisors see the holidays of a country, confirm them, and are told in numbers what was added."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse

from operators.models import Absence
from tests import characters
from tests.admin import pages

RUSSIA = f"{reverse('holidays')}?country=RU&year=2027"


@pytest.fixture(autouse=True)
def december(db):
    with time_machine.travel(datetime(2026, 12, 15, 12, tzinfo=UTC)):
        yield


@pytest.fixture
def anna(december):
    return characters.operator("Anna")


@pytest.fixture
def boris(december):
    return characters.operator("Boris")


def test_the_country_of_the_phones_and_the_next_year_are_proposed(supervisor):
    page = supervisor.get(reverse("holidays"))
    assert page.context["calendar"].initial == {"country": "RU", "year": [2027]}
    assert page.context["chosen"] is None


def test_every_day_and_everybody_is_ticked(supervisor, anna, boris):
    chosen = supervisor.get(RUSSIA, headers={"Accept-Language": "en"}).context["chosen"]
    assert chosen["days"].value()[0] == "2027-01-01"
    assert len(chosen["days"].value()) == 20
    assert chosen["operators"].value() == [anna.pk, boris.pk]
    assert chosen.fields["days"].choices[0][1] == "Fri, 1 Jan 2027: New Year Holidays"


def test_names_are_russian_for_a_russian(supervisor, anna):
    assert "Новогодние каникулы" in supervisor.get(RUSSIA, headers={"Accept-Language": "ru"}).text


def test_only_what_is_confirmed_becomes_an_absence(supervisor, anna, boris):
    sent = {"days": ["2027-01-01", "2027-03-08"], "operators": [anna.pk]}
    assert pages.said(supervisor.post(RUSSIA, sent)) == ["2 absences were added."]
    assert set(Absence.objects.values_list("operator", "start__date", "reason")) == {
        (anna.pk, datetime(2027, 1, 1).date(), "New Year Holidays"),
        (anna.pk, datetime(2027, 3, 8).date(), "International Women's Day"),
    }


def test_confirming_twice_adds_nothing_and_says_so(supervisor, anna):
    sent = {"days": ["2027-01-01"], "operators": [anna.pk]}
    supervisor.post(RUSSIA, sent)
    answer = supervisor.post(RUSSIA, sent)
    assert pages.said(answer)[-1] == "1 was skipped: the operator has another absence at that time."
    assert Absence.objects.count() == 1


@pytest.mark.parametrize("sent", [{}, {"days": []}, {"days": ["2027-02-30"]}, {"operators": ["x"]}], ids=str)
def test_a_choice_that_is_none_is_refused(supervisor, anna, sent):
    fitting = {"days": ["2027-01-01"], "operators": [anna.pk]}
    answer = supervisor.post(RUSSIA, (fitting | sent) if sent else {})
    assert answer.context["chosen"].errors
    assert not Absence.objects.exists()


@pytest.mark.parametrize("query", ["country=XX&year=2027", "country=RU&year=1", "country=RU", "country=&year=x"])
def test_a_calendar_that_is_none_is_refused(supervisor, anna, query):
    page = supervisor.get(f"{reverse('holidays')}?{query}")
    assert page.context["calendar"].errors
    assert page.context["chosen"] is None


def test_days_that_are_over_are_not_offered(supervisor, anna):
    with time_machine.travel(datetime(2026, 11, 4, 12, tzinfo=UTC)):
        chosen = supervisor.get(f"{reverse('holidays')}?country=RU&year=2026").context["chosen"]
    assert chosen["days"].value() == ["2026-12-31"]
