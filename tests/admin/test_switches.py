"""Changes that apply at once, and their *Undo*."""

import json

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from accounts.roles import OPERATOR, SUPERVISOR
from core.changes.models import Change
from routing import operator_actions
from routing.models import Contact
from tests import characters
from tests.accounts import people


def set_(client, operator, field, value, **more):
    url = reverse("operator_set", args=[operator.pk])
    return client.post(url, {"field": field, "value": value} | more, headers={"HX-Request": "true"})


def toast(response):
    return json.loads(response.headers["HX-Trigger"])["toast"]


def undo(client, response):
    return client.post(toast(response)["undo"])


def test_duty_is_switched_and_said(supervisor):
    anna = characters.operator("Anna")
    response = set_(supervisor, anna, "is_active", "false")
    anna.refresh_from_db()
    assert not anna.is_active
    assert (toast(response)["text"], toast(response)["level"]) == ("Anna is off duty.", "success")
    assert json.loads(response.headers["HX-Trigger"])["refresh"] is True


def test_it_is_recorded_as_the_users_change(supervisor):
    set_(supervisor, anna := characters.operator("Anna"), "max_load", "7")
    change = Change.objects.get()
    assert (change.by, change.via, change.after) == ("user vera", "page", {"max_load": 7})
    assert change.operator_id == anna.pk


@pytest.mark.both
def test_a_higher_limit_is_said_and_takes_a_waiting_contact(supervisor):
    bot = characters.source(roster={(anna := characters.operator("Anna", limit=1)): 10})
    characters.contact(bot)
    waiting = characters.contact(bot)
    response = set_(supervisor, anna, "max_load", "2")
    assert toast(response)["text"] == "Anna: the limit is 2."
    assert Contact.objects.get(pk=waiting.pk).operator == anna


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("max_load", "0", "1 to 100"),
        ("max_load", "101", "1 to 100"),
        ("max_load", "many", "1 to 100"),
        ("max_load", "9" * 40, "1 to 100"),
        ("is_active", "perhaps", "neither on nor off"),
        ("is_active", "", "neither on nor off"),
        ("name", "Mine", "cannot be changed here"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(supervisor, field, value, said):
    anna = characters.operator("Anna", limit=3)
    response = set_(supervisor, anna, field, value)
    assert response.status_code == 422
    assert toast(response)["level"] == "error"
    assert said in toast(response)["text"]
    anna.refresh_from_db()
    assert (anna.name, anna.is_active, anna.max_load) == ("Anna", True, 3)


def test_who_has_seen_another_limit_overwrites_nothing(supervisor):
    anna = characters.operator("Anna", limit=3)
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 5})
    response = set_(supervisor, anna, "max_load", "7", seen="3")
    assert response.status_code == 409
    assert "Somebody else was faster" in toast(response)["text"]
    anna.refresh_from_db()
    assert anna.max_load == 5


def test_an_archived_operator_is_not_changed(supervisor):
    anna = characters.operator("Anna", limit=3)
    operator_actions.archive_operator(operator_id=anna.pk)
    response = set_(supervisor, anna, "max_load", "7")
    assert response.status_code == 404
    assert "archived" in toast(response)["text"]


def test_undo_sets_what_was_before(supervisor):
    anna = characters.operator("Anna", limit=3)
    response = undo(supervisor, set_(supervisor, anna, "max_load", "7"))
    anna.refresh_from_db()
    assert anna.max_load == 3
    assert toast(response)["text"] == "Reverted. Anna: limit 7 → 3"


@pytest.mark.both
def test_undo_is_refused_if_another_value_was_set_since(supervisor):
    anna = characters.operator("Anna", limit=3)
    response = set_(supervisor, anna, "max_load", "7")
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 9})
    refusal = undo(supervisor, response)
    assert refusal.status_code == 409
    assert "changed again since" in toast(refusal)["text"]
    anna.refresh_from_db()
    assert anna.max_load == 9


def test_what_changes_nothing_offers_no_undo(supervisor):
    anna = characters.operator("Anna", limit=3)
    set_(supervisor, anna, "max_load", "3")
    assert toast(set_(supervisor, anna, "max_load", "3"))["undo"] == ""


def test_who_may_not_revert_is_offered_no_undo_and_gets_none(client, db):
    anna = characters.operator("Anna", limit=3)
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_operator", "change_operator"]))
    client.force_login(user)
    assert toast(set_(client, anna, "max_load", "7"))["undo"] == ""
    assert client.post(reverse("undo_change", args=[Change.objects.get().pk])).status_code == 403
    anna.refresh_from_db()
    assert anna.max_load == 7


def test_supervisors_may_operators_may_not(db):
    anna = characters.operator("Anna", limit=3)
    own = people.at_the_browser(people.account("anna", OPERATOR))
    assert set_(own, anna, "max_load", "7").status_code == 403
    made = toast(set_(people.at_the_browser(people.account("maria", SUPERVISOR)), anna, "max_load", "8"))
    assert own.post(made["undo"]).status_code == 403
    anna.refresh_from_db()
    assert anna.max_load == 8


def test_nothing_is_changed_by_a_link(supervisor):
    anna = characters.operator("Anna", limit=3)
    assert supervisor.get(reverse("operator_set", args=[anna.pk])).status_code == 405


# What does harm is asked first


def asks(response):
    """Whether it asks, and nothing was answered to the control itself."""
    return response.headers.get("HX-Retarget") == "#question"


@pytest.mark.both
def test_the_last_person_on_duty_of_a_source_is_asked_for(supervisor):
    anna, boris = characters.operator("Anna", limit=1), characters.operator("Boris", is_active=False)
    bot = characters.source("Telegram", roster={anna: 10, boris: 10})
    characters.source("Site", roster={anna: 10, characters.operator("Vera"): 10})
    for _ in range(4):
        characters.contact(bot)
    response = set_(supervisor, anna, "is_active", "false")
    assert asks(response)
    assert "Take Anna off duty?" in response.text
    assert "Telegram has nobody on duty then. 3 contacts wait." in response.text
    assert "Site" not in response.text
    anna.refresh_from_db()
    assert anna.is_active


def test_who_is_sure_changes_it_and_is_not_asked_again(supervisor):
    characters.source("Telegram", roster={(anna := characters.operator("Anna")): 10})
    response = set_(supervisor, anna, "is_active", "false", sure="yes")
    assert toast(response)["text"] == "Anna is off duty."
    anna.refresh_from_db()
    assert not anna.is_active
    assert not asks(set_(supervisor, anna, "is_active", "false"))


def test_what_was_asked_is_what_the_dialog_sends_again(supervisor):
    bot = characters.source("Telegram", roster={(anna := characters.operator("Anna", limit=3)): 10})
    for _ in range(3):
        characters.contact(bot)
    page = set_(supervisor, anna, "max_load", "2", seen="3").text
    for name, value in {"field": "max_load", "value": "2", "seen": "3", "sure": "yes"}.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in page
    assert f'hx-post="{reverse("operator_set", args=[anna.pk])}"' in page


@pytest.mark.both
def test_a_limit_below_the_load_is_asked_for_when_it_is_lowered(supervisor):
    bot = characters.source("Telegram", roster={(anna := characters.operator("Anna", limit=3)): 10})
    for _ in range(3):
        characters.contact(bot)
    assert not asks(set_(supervisor, anna, "max_load", "4"))
    response = set_(supervisor, anna, "max_load", "1")
    assert asks(response)
    assert "Anna keeps the 3 open contacts, above the limit." in response.text
    set_(supervisor, anna, "max_load", "1", sure="yes")
    assert not asks(set_(supervisor, anna, "max_load", "2"))  # higher again, though still below the load


def test_a_hostile_name_is_text_in_the_question(supervisor):
    anna = characters.operator("<script>alert(1)</script>")
    characters.source("<b>%s</b>", roster={anna: 10})
    page = set_(supervisor, anna, "is_active", "false").text
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "&lt;b&gt;%s&lt;/b&gt; has nobody on duty then." in page


# What shows the values


@pytest.mark.both
@time_machine.travel("2026-11-27T12:00Z", tick=False)
def test_the_controls_of_several_operators_come_in_one_answer_and_again_only_if_something_changed(supervisor):
    anna, boris = characters.operator("Anna", limit=3), characters.operator("Boris", is_active=False)
    asked = {"ids": f"{anna.pk},{boris.pk},x,{10**30}"}
    response = supervisor.get(reverse("operator_controls"), asked)
    assert response.text.count("hx-swap-oob") == 6
    assert f'id="duty-{boris.pk}"' in response.text
    known = {"If-None-Match": response.headers["ETag"]}
    assert supervisor.get(reverse("operator_controls"), asked, headers=known).status_code == 304
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 4})
    assert 'value="4"' in supervisor.get(reverse("operator_controls"), asked, headers=known).text


def test_the_controls_are_for_those_who_see_operators(db):
    own = people.at_the_browser(people.account("anna", OPERATOR))
    assert own.get(reverse("operator_controls"), {"ids": "1"}).status_code == 403
