"""The page of changes: sentences, filters, and taking back."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from access import keys
from accounts.roles import SUPERVISOR
from core.admin import formatting
from core.changes.models import Change, Via
from core.changes.recording import Author
from routing import duty_edges, operator_actions, source_actions
from tests import characters
from tests.accounts import people
from tests.admin import pages

pytestmark = pytest.mark.django_db

LIST = "/admin/changes/change/"


@pytest.fixture
def browser(db) -> Client:
    return people.at_the_browser(people.account("maria", SUPERVISOR))


@pytest.fixture
def anna():
    return characters.operator("Анна")


def sentences(browser, query=""):
    """What the list shows: sentence and author."""
    changes = browser.get(LIST + query)
    model_admin = changes.context["cl"].model_admin
    return [(model_admin.what_text(one), model_admin.author(one)) for one in changes.context["cl"].result_list]


def test_a_change_by_page_is_shown_as_a_sentence_with_its_author(browser, anna):
    filled = pages.filled(browser.get(pages.page(anna)))
    browser.post(pages.page(anna), filled | {"max_per_hour": "3", "external_ref": "a"})
    said = "Анна: id in other systems – → “a”, contacts an hour at most – → 3"
    assert sentences(browser) == [(said, "user maria, through the back-office")]


def test_a_roster_names_who_joined_who_left_and_who_got_another_weight(browser, anna):
    boris, vera = characters.operator("Boris"), characters.operator("Vera")
    bot = characters.source("Bot", roster={anna: 10, boris: 5})
    source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 20, vera.pk: 7}, leaving=[boris.pk])
    assert sentences(browser)[0] == ("Bot, roster: − Boris, + Vera 7, Анна 10 → 20", "system, by a command")


def test_choices_are_shown_with_their_names(browser):
    bot = characters.source("Bot")
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "smooth", "is_sticky": True})
    assert sentences(browser)[0][0] == "Bot: strategy “at random by weight” → “in turn by weight”, " + (
        "known clients to their operator no → yes"
    )


def test_schedules_absences_and_pauses_are_sentences(browser, anna):
    start = timezone.now() + timedelta(days=1)
    end = start + timedelta(days=7)
    shown = [formatting.format_datetime(moment) for moment in (start, end)]
    shifts = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in range(1, 8)]
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="Europe/Moscow", shifts=shifts)
    holiday = duty_edges.add_absence(operator_id=anna.pk, start=start, end=end, reason="Holiday")
    duty_edges.cancel_absence(operator_id=anna.pk, absence_id=holiday.pk)
    duty_edges.pause_operator(operator_id=anna.pk, until=start)
    duty_edges.resume_operator(operator_id=anna.pk)
    assert [said for said, _by in sentences(browser)][::-1] == [
        "Анна: time zone – → “Europe/Moscow”, weekly hours + Mon, Tue, Wed, Thu, Fri, Sat, Sun 00:00–24:00",
        f"Анна: absence {shown[0]} – {shown[1]} (Holiday) added",
        f"Анна: absence {shown[0]} – {shown[1]} (Holiday) cancelled",
        f"Анна: paused until {shown[0]}",
        "Анна: pause ended",
    ]


def test_a_change_of_another_version_is_named_as_stored(browser, anna):
    Change.objects.create(
        what="operator.promoted", by="robot", via="dream", operator_id=anna.pk, before={"rank": 1}, after={"rank": 2}
    )
    assert sentences(browser) == [("Анна: rank 1 → 2", "robot, dream")]


def test_changes_are_filtered_by_operator_source_and_author(browser, anna):
    bot = characters.source("Bot", roster={anna: 10})
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3}, author=Author("API", Via.API))
    characters.source("Other", roster={characters.operator("Boris"): 1})
    assert len(sentences(browser, f"?operator={anna.pk}")) == 2
    assert [said for said, _by in sentences(browser, f"?source={bot.pk}")] == ["Bot, roster: + Анна 10"]
    assert [said for said, _by in sentences(browser, "?by=API")] == ["Анна: limit 10 → 3"]


def test_the_history_button_leads_to_the_changes_of_this_object(browser, anna):
    bot = characters.source("Bot")
    for thing, query in ((anna, f"?operator={anna.pk}"), (bot, f"?source={bot.pk}")):
        page = browser.get(pages.page(thing))
        history = pages.page(thing).replace("/change/", "/history/")
        assert history in page.text
        assert browser.get(history).headers["Location"] == LIST + query


def test_a_change_is_taken_back_by_its_button(browser, anna):
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3})
    change = Change.objects.get()
    assert pages.button(change, "revert_this") in browser.get(LIST).text
    pages.press(browser, change, "revert_this")
    anna.refresh_from_db()
    assert anna.max_load == 10
    assert sentences(browser)[0] == ("Reverted. Анна: limit 3 → 10", "user maria, through the back-office")


def test_what_was_changed_since_is_a_message(browser, anna):
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3})
    change = Change.objects.get()
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 4})
    response = pages.press(browser, change, "revert_this")
    assert "It was changed again since. Nothing was reverted" in pages.said(response)[0]


def test_a_created_key_offers_no_button(supervisor):
    keys.make_key(name="Bot", source=None)
    assert sentences(supervisor)[0][0].startswith("key crm_")
    assert pages.offered(supervisor, Change.objects.get()) == []


def test_a_supervisor_does_not_see_changes_of_keys_and_users(browser, supervisor):
    keys.make_key(name="Bot", source=None)
    Group.objects.create(name="Guests")
    assert len(sentences(supervisor)) == 1
    assert sentences(browser) == []


def test_the_list_costs_as_many_statements_for_many_changes_as_for_one(browser, anna, django_assert_max_num_queries):
    bot = characters.source("Bot")
    for weight in range(1, 30):
        source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=weight)
    with django_assert_max_num_queries(20):
        browser.get(LIST)
