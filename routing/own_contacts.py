"""Permissions of operators with an account: they may view their own contacts only."""

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from operators.models import Operator
from routing.models import Contact


def sees_all(user: Any) -> bool:
    """Whether the user may view the contacts of all operators."""
    return user.has_perm("routing.view_contact") or user.has_perm("routing.change_contact")


def answers_contacts(user: Any) -> bool:
    """Whether the user may view, resolve and reopen the contacts of their own operator."""
    return bool(user.has_perm("operators.answer_operator"))


def sees_only_own(user: Any) -> bool:
    return answers_contacts(user) and not sees_all(user)


def visible_contacts(user: Any, contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """The contacts that the user may view; none for an archived operator."""
    return contacts if sees_all(user) else contacts.filter(operator__user=user, operator__archived_at__isnull=True)


def has_operator(user: Any) -> bool:
    """Whether `own_operator` finds one; asks the database once for a request."""
    operator = getattr(user, "operator", None)
    return operator is not None and operator.archived_at is None


def own_operator(user: Any) -> Operator | None:
    """The operator that this account is linked to, unless archived."""
    return Operator.objects.current().filter(user=user).first()


def is_own(user: Any, contact: Contact) -> bool:
    """Whether the user may answer this contact, because it is with their operator."""
    return bool(contact.operator and contact.operator.user_id == user.pk and answers_contacts(user))


def own_contacts_url() -> str:
    """The page of the user's own contacts."""
    return reverse("my_contacts")
