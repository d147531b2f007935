"""Changes a stored contact's operator or state, with an update on condition that it has not changed since."""

from functools import cache
from typing import Any

from django.db import connection
from django.utils import timezone

from core.db.compiled import Update
from core.db.writes import Change
from routing.models import Contact
from routing.selection import Decision

Fields = dict[str, Any]


def change_contact(contact: Contact, **fields: Any) -> Change:
    """Sets these fields (columns' names) and `updated_at` on the instance, and returns the update to store.

    The update finds the row only if operator and resolved state are those of the instance as it was read.
    """
    fields["updated_at"] = timezone.now()
    seen = [contact.pk, *([contact.operator_id] if contact.operator_id else [])]
    update = update_of(tuple(fields), contact.operator_id is not None, contact.is_resolved)
    for name, value in fields.items():
        setattr(contact, name, value)
    prepared = [field(name).get_db_prep_save(value, connection) for name, value in fields.items()]
    return Change(update, (*seen, *prepared))


@cache
def field(name: str) -> Any:
    return next(field for field in Contact._meta.concrete_fields if field.attname == name)


@cache
def update_of(names: tuple[str, ...], is_assigned: bool, is_resolved: bool) -> Update:
    def build(*values: Any) -> Any:
        seen, new = values[: 1 + is_assigned], values[1 + is_assigned :]
        contacts = Contact.objects.filter(pk=seen[0], resolved_at__isnull=not is_resolved)
        contacts = contacts.filter(operator=seen[1]) if is_assigned else contacts.filter(operator__isnull=True)
        return contacts, {field(name).name: value for name, value in zip(names, new, strict=True)}

    return Update(build, parameters=1 + is_assigned + len(names))


def assigned_to(operator_id: int, *, is_forced: bool = False) -> Fields:
    return {
        "operator_id": operator_id,
        "waiting_reason": None,
        "assigned_at": timezone.now(),
        "is_forced": is_forced,
    }


def waiting_because(reason: str) -> Fields:
    return {"operator_id": None, "waiting_reason": str(reason), "assigned_at": None, "is_forced": False}


def by_decision(decision: Decision | None) -> Fields:
    """The fields for the chosen operator, or for the queue; None means that older contacts come first."""
    if decision is None:
        return waiting_because(Contact.Waiting.NONE_AVAILABLE)
    if decision.chosen is None:
        return waiting_because(decision.reason or Contact.Waiting.NONE_AVAILABLE)
    return assigned_to(decision.chosen)
