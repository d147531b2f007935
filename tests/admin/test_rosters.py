"""The roster on the page of its source: changes apply at once, and can be undone."""

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from accounts.roles import OPERATOR
from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import RosterEntry, Source
from tests import characters
from tests.accounts import people
from tests.admin import pages
from tests.admin.test_switches import asks, toast, undo

pytestmark = pytest.mark.django_db


def set_(client, source, operator, weight, **more):
    pk = operator.pk if isinstance(operator, Operator) else operator
    return client.post(reverse("roster_set", args=[source.pk]), {"operator": pk, "weight": weight} | more)


def weights(source):
    return dict(RosterEntry.objects.filter(source=source).values_list("operator__name", "weight"))


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10, characters.operator("Boris"): 30})


@pytest.mark.both
def test_a_weight_is_changed_said_and_undone(supervisor, bot, anna):
    response = set_(supervisor, bot, anna, "20", seen="10")
    assert weights(bot) == {"Anna": 20, "Boris": 30}
    assert toast(response)["text"] == "Telegram, roster: Anna 10 → 20"
    undo(supervisor, response)
    assert weights(bot) == {"Anna": 10, "Boris": 30}


@pytest.mark.both
def test_an_operator_joins_and_gets_what_waits(supervisor):
    bot = characters.source("Site")
    waiting = characters.contact(bot)
    vera = characters.operator("Vera")
    response = set_(supervisor, bot, vera, "40", seen="")
    assert toast(response)["text"] == "Site, roster: + Vera 40"
    waiting.refresh_from_db()
    assert waiting.operator == vera


def test_an_operator_who_is_on_another_roster_too_leaves_without_a_question(supervisor, bot, anna):
    characters.source("Site", roster={anna: 10})
    response = set_(supervisor, bot, anna, "", seen="10")
    assert toast(response)["text"] == "Telegram, roster: − Anna"
    assert weights(bot) == {"Boris": 30}
    undo(supervisor, response)
    assert weights(bot) == {"Anna": 10, "Boris": 30}


@pytest.mark.both
def test_the_last_of_a_roster_is_told_before(supervisor, anna):
    bot = characters.source("Site", roster={anna: 10})
    characters.source("Telegram", roster={anna: 10})
    response = set_(supervisor, bot, anna, "", seen="10")
    assert asks(response)
    assert "Remove Anna from the roster of Site?" in response.text
    assert "Site has nobody on its roster then." in response.text
    assert weights(bot) == {"Anna": 10}
    set_(supervisor, bot, anna, "", seen="10", sure="yes")
    assert weights(bot) == {}


@pytest.mark.both
def test_the_last_on_duty_and_who_is_on_no_roster_then_are_told_before(supervisor, bot, anna):
    operator_actions.change_operator(operator_id=Operator.objects.get(name="Boris").pk, changes={"is_active": False})
    page = set_(supervisor, bot, anna, "", seen="10").text
    assert "Telegram has nobody on duty then." in page
    assert "Anna is on no roster then and gets no contacts." in page


@pytest.mark.parametrize(
    ("operator", "weight", "seen", "said"),
    [
        ("anna", "0", "10", "1 to 100"),
        ("anna", "101", "10", "1 to 100"),
        ("anna", "ten", "10", "1 to 100"),
        ("", "10", "", "Choose an operator."),
        ("x", "10", "", "Choose an operator."),
        ("anna", "", "", "Give the weight, from 1 to 100."),
    ],
)
def test_what_cannot_be_is_refused(supervisor, bot, anna, operator, weight, seen, said):
    response = set_(supervisor, bot, anna if operator == "anna" else operator, weight, seen=seen)
    assert response.status_code == 422
    assert said in toast(response)["text"]
    assert weights(bot) == {"Anna": 10, "Boris": 30}


def test_a_weight_that_a_colleague_has_changed_is_not_overwritten(supervisor, bot, anna):
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=15)
    for weight in ("20", ""):
        response = set_(supervisor, bot, anna, weight, seen="10", sure="yes")
        assert response.status_code == 409
        assert "Somebody else was faster" in toast(response)["text"]
    assert weights(bot)["Anna"] == 15


def test_who_is_on_it_already_keeps_the_weight(supervisor, bot, anna):
    response = set_(supervisor, bot, anna, "50", seen="")
    assert toast(response)["text"] == "This operator is on the roster already."
    assert weights(bot)["Anna"] == 10


def test_archived_operators_and_sources_are_refused(supervisor, bot, anna):
    left = characters.operator("Left")
    operator_actions.archive_operator(operator_id=left.pk)
    assert set_(supervisor, bot, left, "10", seen="").status_code == 404
    source_actions.archive_source(source_id=bot.pk)
    assert set_(supervisor, bot, anna, "20", seen="10").status_code == 404
    assert weights(bot) == {"Anna": 10, "Boris": 30}


def test_shares_are_of_all_and_of_those_on_duty(supervisor, bot, anna):
    page = supervisor.get(pages.page(bot)).text
    assert "25%" in page
    assert "75%" in page
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    table = supervisor.get(reverse("source_roster", args=[bot.pk])).text
    assert "100%" in table
    assert 'data-total="40" data-on-duty="30"' in table
    assert table.count("data-duty>") == 1


@pytest.mark.both
@time_machine.travel("2026-11-27T12:00Z", tick=False)
def test_the_table_comes_again_only_if_it_has_changed(supervisor, bot, anna):
    url = reverse("source_roster", args=[bot.pk])
    known = {"If-None-Match": supervisor.get(url).headers["ETag"]}
    assert supervisor.get(url, headers=known).status_code == 304
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=15)
    assert "Anna: weight" in supervisor.get(url, headers=known).text


@pytest.mark.both
def test_of_a_long_roster_a_page_is_shown_with_shares_of_the_whole(supervisor):
    bot = characters.source("Crowded")
    crowd = Operator.objects.bulk_create(Operator(name=f"Operator {n:03d}", max_load=5) for n in range(1000))
    RosterEntry.objects.bulk_create(RosterEntry(source=bot, operator=operator) for operator in crowd)
    first = supervisor.get(pages.page(bot)).text
    assert first.count("data-member") == 50
    assert "Page 1 of 20, operators: 1000" in first
    assert "0.1%" in first
    last = supervisor.get(f"{pages.page(bot)}?roster-page=20").text
    assert "Operator 999" in last
    assert "roster-page=20" in last.split("data-live=")[1].split('"')[1]
    assert "Operator 000 0.1%, Operator 001 0.1%, Operator 002 0.1% and 997 more" in (
        supervisor.get(pages.listing(Source)).text
    )


@pytest.mark.both
def test_the_heaviest_are_named_in_the_list(supervisor, bot):
    assert "Boris 75%, Anna 25%" in supervisor.get(pages.listing(Source)).text


def test_a_short_roster_has_no_pages(supervisor, bot):
    assert "Page 1" not in supervisor.get(pages.page(bot)).text


def test_who_may_only_look_sees_weights_as_text_and_changes_none(client, bot, anna):
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_source"))
    client.force_login(user)
    page = client.get(pages.page(bot)).text
    assert "Boris" in page
    assert "data-instant" not in page
    assert "Send a trial contact" not in page
    assert client.get(reverse("source_roster", args=[bot.pk])).status_code == 200
    assert set_(client, bot, anna, "20", seen="10").status_code == 403
    assert client.post(reverse("source_trial", args=[bot.pk])).status_code == 403
    assert weights(bot)["Anna"] == 10


def test_operators_see_and_change_no_roster(bot, anna):
    own = people.at_the_browser(people.account("anna", OPERATOR))
    assert own.get(reverse("source_roster", args=[bot.pk])).status_code == 403
    assert set_(own, bot, anna, "20", seen="10").status_code == 403


def test_names_are_text(supervisor):
    hostile = characters.operator("<img src=x onerror=alert(1)>'\"")
    page = supervisor.get(pages.page(characters.source("<b>", roster={hostile: 10}))).text
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
