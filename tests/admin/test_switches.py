"""Changes that apply at once, and their *Undo*."""

import json

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from accounts.roles import OPERATOR, SUPERVISOR
from core.changes.models import Change
from routing import operator_actions
from routing.models import Contact
from tests import characters
from tests.accounts import people

pytestmark = pytest.mark.both


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
