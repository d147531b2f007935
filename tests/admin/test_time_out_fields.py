"""What the pages show of the time for taking a contact, and of hours without anybody."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from routing import duty_edges, opening_hours
from routing.models import Source
from tests import characters
from tests.admin import pages

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
CONTACTS = "/admin/routing/contact/"


@pytest.fixture(autouse=True)
def clock(settings):
    settings.TIME_ZONE = "UTC"
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def anna(db):
    return characters.operator("Anna")


@pytest.fixture
def bot(anna):
    bot = characters.source(roster={anna: 10})
    Source.objects.filter(pk=bot.pk).update(accept_within=600)
    return bot


def read(client, url):
    return client.get(url).content.decode()


def test_an_untaken_contact_shows_by_when_to_take_it(supervisor, bot):
    contact = characters.contact(bot)
    assert "take by 12:10" in read(supervisor, f"{CONTACTS}?status=assigned")
    assert "Take by 12:10" in read(supervisor, pages.page(contact))


def test_a_contact_that_is_overdue_says_since_when(supervisor, bot, clock):
    contact = characters.contact(bot)
    clock.shift(timedelta(minutes=11))
    assert "overdue since 12:10" in read(supervisor, f"{CONTACTS}?status=assigned")
    assert pages.shown(supervisor, f"{CONTACTS}?status=overdue") == [contact]


def test_the_times_for_taking_are_saved_from_the_page(supervisor, bot):
    sent = pages.filled(supervisor.get(pages.page(bot)))
    sent |= {"accept_within": "300", "max_offers": "2", "off_duty_after_missed": "4"}
    assert supervisor.post(pages.page(bot), sent).status_code == 302
    bot.refresh_from_db()
    assert (bot.accept_within, bot.max_offers, bot.off_duty_after_missed) == (300, 2, 4)


@pytest.mark.parametrize("name", ["accept_within", "max_offers", "off_duty_after_missed"])
def test_a_time_out_out_of_range_changes_nothing(supervisor, bot, name):
    sent = pages.filled(supervisor.get(pages.page(bot))) | {name: "0"}
    assert supervisor.post(pages.page(bot), sent).context["adminform"].form.errors[name]
    assert Source.objects.get().accept_within == 600


def test_a_contact_outside_opening_hours_says_until_when_it_waits(supervisor, bot):
    evening = [{"weekday": 1, "from": "18:00", "to": "20:00"}]
    opening_hours.set_opening_hours(source_id=bot.pk, time_zone="UTC", shifts=evening)
    page = read(supervisor, pages.page(characters.contact(bot)))
    assert "outside opening hours, until 30 Nov 2026, 18:00" in page


def test_a_source_shows_the_first_hours_when_nobody_is_planned(supervisor, bot, anna):
    assert "None in the next 7 days" in read(supervisor, pages.page(bot))
    for days in range(1, 6):
        start = NOON + timedelta(days=days)
        duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(hours=1))
    page = read(supervisor, pages.page(bot))
    assert "<li>Tue, 1 December, 12:00–13:00</li>" in page
    assert "And 2 more." in page
    assert f"?week=2026-11-30&amp;source={bot.pk}" in page
