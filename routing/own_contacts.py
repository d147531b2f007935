"""Permissions of operators with an account: they may view their own contacts only."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, F, QuerySet, When
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


def own_operator(user: Any) -> Operator | None:
    """The operator that this account is linked to, unless archived."""
    return Operator.objects.current().filter(user=user).first()


def is_own(user: Any, contact: Contact) -> bool:
    """Whether the user may answer this contact, because it is with their operator."""
    return bool(contact.operator and contact.operator.user_id == user.pk and answers_contacts(user))


def untaken_first() -> list[Any]:
    """The order of own open contacts: those that are not taken, longest assigned first, then the newest."""
    since = Case(When(accepted_at__isnull=True, then=F("assigned_at")))
    return [since.asc(nulls_last=True), "-pk"]


def own_contacts_url() -> str:
    """The page that lists the user's own open contacts."""
    return f"{reverse('admin:routing_contact_changelist')}?{urlencode({'status': Contact.Status.ASSIGNED})}"
