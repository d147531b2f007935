"""Operators with an account: they see their own contacts, and nothing else."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from routing.models import Contact


def sees_all(user: Any) -> bool:
    """Whether the contacts of everybody are this user's business."""
    return user.has_perm("routing.view_contact") or user.has_perm("routing.change_contact")


def answers_contacts(user: Any) -> bool:
    """Whether the user may see, resolve and reopen the contacts of the operator that they are."""
    return bool(user.has_perm("operators.answer_operator"))


def sees_only_own(user: Any) -> bool:
    return answers_contacts(user) and not sees_all(user)


def visible_contacts(user: Any, contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Those that are this user's business; an operator who has left has none."""
    return contacts if sees_all(user) else contacts.filter(operator__user=user, operator__archived_at__isnull=True)


def own_contacts_url() -> str:
    """Where an operator's work is listed."""
    return f"{reverse('admin:routing_contact_changelist')}?{urlencode({'status': Contact.Status.ASSIGNED})}"
