"""The calendar, and the page of opening hours."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from routing import duty_edges, opening_hours
from tests import characters

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
OPEN_DAILY = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in range(1, 8)]


@pytest.fixture(autouse=True)
def this_week(settings):
    settings.TIME_ZONE = "UTC"
    with time_machine.travel(MONDAY, tick=False):
        yield


@pytest.fixture
def anna():
    operator = characters.operator("Anna")
    duty_edges.set_schedule(operator_id=operator.pk, time_zone="UTC", shifts=OPEN_DAILY[:5])
    return operator


@pytest.fixture
def bot(anna):
    source = characters.source("Bot", roster={anna: 10})
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=OPEN_DAILY[:6])
    return source


def read(client, **query):
    return client.get(reverse("calendar"), query).content.decode()


def test_the_calendar_shows_who_is_planned_and_when_nobody_is(admin_client, bot):
    page = read(admin_client)
    assert page.count("09:00–18:00") == 5 + 1
    assert "Sat, 5 December, 09:00–18:00" in page


def test_an_absence_is_shown_with_its_reason(admin_client, bot, anna):
    start = MONDAY + timedelta(days=1)
    duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(days=1), reason="Dentist")
    page = read(admin_client)
    assert "Dentist, all day" in page
    assert "Tue, 1 December, 09:00–18:00" in page


def test_a_source_shows_its_roster_only(admin_client, bot):
    characters.operator("Boris")
    assert "Boris" in read(admin_client)
    assert "Boris" not in read(admin_client, source=bot.pk)


def test_the_next_week_is_a_click_away(admin_client, bot):
    assert "week=2026-12-07" in read(admin_client)
    assert "Sat, 12 December, 09:00–18:00" in read(admin_client, week="2026-12-07")


@pytest.mark.parametrize("week", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "\x00"])
def test_a_week_that_does_not_exist_is_no_error(admin_client, bot, week):
    assert admin_client.get(reverse("calendar"), {"week": week, "source": "x"}).status_code == 200


def test_only_those_who_may_see_operators_see_it(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    assert client.get(reverse("calendar")).status_code == 403


def hours_of(source):
    return opening_hours.stored_values(source.pk)["weekly"]


def sent(page, **fields):
    form = page.context["form"]
    return {"time_zone": "UTC", "shown": form["shown"].value(), **fields}


def test_opening_hours_are_saved_from_the_page(admin_client, bot):
    address = reverse("routing_source_hours", args=[bot.pk])
    row = {"shifts-0-day": ["1", "2"], "shifts-0-from": "10:00", "shifts-0-to": "00:00"}
    answer = admin_client.post(address, sent(admin_client.get(address), **row))
    assert answer.status_code == 302
    assert hours_of(bot) == [{"weekday": day, "from": "10:00", "to": "24:00"} for day in (1, 2)]


def test_a_page_that_is_out_of_date_overwrites_nothing(admin_client, bot):
    address = reverse("routing_source_hours", args=[bot.pk])
    page = admin_client.get(address)
    opening_hours.set_opening_hours(source_id=bot.pk, time_zone="UTC", shifts=OPEN_DAILY)
    assert "Somebody else was faster" in admin_client.post(address, sent(page)).content.decode()
    assert hours_of(bot) == OPEN_DAILY


def test_the_page_of_opening_hours_shows_when_nobody_is_planned(admin_client, bot):
    assert (
        "Sat, 5 December, 09:00–18:00"
        in admin_client.get(reverse("routing_source_hours", args=[bot.pk])).content.decode()
    )


def test_only_those_who_may_change_sources_see_their_hours(client, django_user_model, bot):
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    assert client.get(reverse("routing_source_hours", args=[bot.pk])).status_code == 403
