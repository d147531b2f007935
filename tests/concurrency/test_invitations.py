"""One link makes one user, however many open it at the same moment."""

import pytest
from django.contrib.auth.models import Group, User

from accounts import invitations
from accounts.models import Invitation
from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Conflict
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

VERA = Author("user vera", Via.PAGE)


@pytest.fixture
def role():
    User.objects.create_superuser("vera")
    return Group.objects.create(name="Guests")


def invite(role, name="Anna"):
    return invitations.invite(name=name, email="", role=role, operator=None, author=VERA).invitation


def accepting(invitation, username):
    def accept():
        try:
            invitations.accept(invitation_id=invitation.pk, username=username, password="correct horse battery")
        except Conflict as refusal:
            return refusal.code
        return "accepted"

    return accept


def test_a_link_that_four_open_at_once_makes_one_user(role):
    invitation = invite(role)
    fates = together(*(accepting(invitation, f"anna{number}") for number in range(4)))
    assert sorted(fates) == ["accepted", "not_pending", "not_pending", "not_pending"]
    assert User.objects.exclude(username="vera").get() == Invitation.objects.get().user


def test_a_user_name_that_two_choose_at_once_is_given_to_one(role):
    fates = together(*(accepting(invite(role, name), "anna") for name in ("Anna", "Hanna")))
    assert sorted(fates) == ["accepted", "username_taken"]
    assert User.objects.filter(username="anna").count() == 1
    assert Invitation.objects.pending().count() == 1


def test_a_link_is_either_used_or_withdrawn(role):
    invitation = invite(role)

    def withdraw():
        try:
            invitations.withdraw(invitation_id=invitation.pk, author=VERA)
        except Conflict as refusal:
            return refusal.code
        return "withdrawn"

    fates = together(accepting(invitation, "anna"), withdraw)
    assert sorted(fates) in (["accepted", "not_pending"], ["not_pending", "withdrawn"])
    assert User.objects.filter(username="anna").exists() == ("accepted" in fates)
