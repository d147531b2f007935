"""Users, roles and keys: who made, changed and reset them."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from access import keys
from accounts.roles import SUPERVISOR
from core.changes.models import Change
from routing import operator_actions
from tests import characters
from tests.accounts import people
from tests.admin import pages

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "correct horse battery"


@pytest.fixture
def boris():
    return people.account("boris")


def records(what):
    return [(one.by, one.via, one.subject, one.before, one.after) for one in Change.objects.filter(what=what)]


def save(browser, thing, **changes):
    return browser.post(pages.page(thing), pages.filled(browser.get(pages.page(thing))) | changes)


def test_a_role_given_leaves_a_record(supervisor, boris):
    save(supervisor, boris, groups=[Group.objects.get(name=SUPERVISOR).pk])
    assert records("user.changed") == [
        ("user vera", "page", "boris", {"roles": []}, {"roles": ["Supervisor"]}),
    ]


def test_a_deactivated_user_leaves_a_record(supervisor, boris):
    filled = pages.filled(supervisor.get(pages.page(boris)))
    filled.pop("is_active")
    supervisor.post(pages.page(boris), filled)
    assert records("user.changed") == [("user vera", "page", "boris", {"is_active": True}, {"is_active": False})]


def test_a_name_or_nothing_changed_leaves_no_record(supervisor, boris):
    save(supervisor, boris)
    save(supervisor, boris, first_name="Boris")
    assert not Change.objects.exists()


def test_a_link_for_a_new_password_leaves_a_record_without_it(supervisor, boris):
    page = supervisor.post(f"/admin/auth/user/{boris.pk}/password/")
    assert records("user.password_link") == [("user vera", "page", "boris", {}, {"password_link": "new"})]
    words = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    supervisor.post(page.context["url"], words)
    assert records("user.password_reset") == [("user boris", "page", "boris", {}, {"password": "new"})]


def test_a_second_factor_reset_leaves_a_record_if_there_was_one(supervisor, boris):
    call_command("reset_two_factor", "boris")
    assert not Change.objects.exists()
    people.app_of(boris)
    pages.press(supervisor, boris, "reset_two_factor_this")
    assert records("user.second_factor_reset") == [
        ("user vera", "page", "boris", {"second_factor": True}, {"second_factor": False})
    ]


def test_deleting_a_user_leaves_a_record(supervisor, boris):
    supervisor.post(f"/admin/auth/user/{boris.pk}/delete/", {"post": "yes"})
    assert [(by, subject) for by, _via, subject, _before, _after in records("user.deleted")] == [("user vera", "boris")]


def test_a_role_and_its_permissions_leave_records(supervisor):
    supervisor.post(pages.adding(Group), {"name": "Guests"})
    guests = Group.objects.get(name="Guests")
    save(supervisor, guests, name="Visitors")
    assert [after for *_, after in records("role.created")] == [{"name": "Guests", "permissions": []}]
    assert [(before, after) for *_, before, after in records("role.changed")] == [
        ({"name": "Guests"}, {"name": "Visitors"})
    ]


def test_an_account_linked_to_an_operator_leaves_a_record_of_both_operators(supervisor, boris):
    former, anna = characters.operator("Former", user=boris), characters.operator("Anna")
    operator_actions.link_account(user_id=boris.pk, operator_id=anna.pk)
    found = {one.operator_id: (one.before, one.after) for one in Change.objects.filter(what="operator.linked")}
    assert found == {
        former.pk: ({"user_id": boris.pk}, {"user_id": None}),
        anna.pk: ({"user_id": None}, {"user_id": boris.pk}),
    }


def test_a_superuser_made_by_command_leaves_a_record():
    call_command("createsuperuser", interactive=False, username="root", email="root@example.com")
    [(by, via, subject, _before, after)] = records("user.created")
    assert (by, via, subject, after["is_superuser"]) == ("system", "command", "root", True)


def test_a_key_leaves_records_of_its_life_and_never_its_secret(supervisor):
    made = keys.make_key(name="Bot", source=characters.source("Bot"))
    second = keys.rotate_key(key_id=made.key.pk)
    keys.revoke_key(key_id=made.key.pk)
    keys.revoke_key(key_id=made.key.pk)
    assert list(Change.objects.order_by("pk").values_list("what", "subject")) == [
        ("key.created", made.key.prefix),
        ("key.rotated", made.key.prefix),
        ("key.created", second.key.prefix),
        ("key.revoked", made.key.prefix),
    ]
    stored = str(list(Change.objects.values()))
    for secret in (made, second):
        assert secret.secret not in stored
        assert secret.secret.split("_", 2)[2] not in stored
        assert secret.key.digest not in stored


def test_a_key_that_cannot_be_rotated_leaves_no_record():
    made = keys.make_key(name="Bot", source=None)
    keys.revoke_key(key_id=made.key.pk)
    known = Change.objects.count()
    with pytest.raises(keys.CannotRotate):
        keys.rotate_key(key_id=made.key.pk)
    assert Change.objects.count() == known


def test_the_page_of_a_key_leads_to_its_changes(supervisor):
    made = keys.make_key(name="Bot", source=None).key
    keys.make_key(name="Another", source=None)
    history = supervisor.get(f"/admin/access/apikey/{made.pk}/history/").headers["Location"]
    assert [one.subject for one in pages.shown(supervisor, history)] == [made.prefix]
