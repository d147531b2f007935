"""Changes a stored contact's operator or state, with an update on condition that it has not changed since."""

from functools import cache
from typing import Any

from django.db import connection
from django.utils import timezone

from core.db.compiled import Update
from core.db.writes import Change
from routing.due_moments import due_fields
from routing.models import Contact
from routing.selection import Decision

Fields = dict[str, Any]

MOMENTS = ("resolved_at", "accepted_at", "first_reaction_at")


def change_contact(contact: Contact, **fields: Any) -> Change:
    """Sets these fields (columns' names) and `updated_at` on the instance, and returns the update to store.

    The update finds the row only if the operator, and whether it is resolved, taken and answered, are those of the
    instance as it was read; and one without an operator only if nothing has changed since: it may have been given to
    somebody meanwhile, who has declined it. An operator who loses the contact is added to those who had it.
    """
    if contact.operator_id and fields.get("operator_id", contact.operator_id) != contact.operator_id:
        fields["former_operator_ids"] = sorted(contact.holder_ids)
    seen = [contact.pk, contact.operator_id or field("updated_at").get_db_prep_value(contact.updated_at, connection)]
    fields["updated_at"] = timezone.now()
    empty = tuple(name for name in MOMENTS if getattr(contact, name) is None)
    update = update_of(tuple(fields), contact.operator_id is not None, empty)
    for name, value in fields.items():
        setattr(contact, name, value)
    prepared = [field(name).get_db_prep_save(value, connection) for name, value in fields.items()]
    return Change(update, (*seen, *prepared))


@cache
def field(name: str) -> Any:
    return next(field for field in Contact._meta.concrete_fields if field.attname == name)


@cache
def update_of(names: tuple[str, ...], is_assigned: bool, empty: tuple[str, ...]) -> Update:
    """`empty`: those of the MOMENTS that must be null; the others must not."""

    def build(*values: Any) -> Any:
        pk, seen, *new = values
        as_seen = {"operator": seen} if is_assigned else {"operator": None, "updated_at": seen}
        contacts = Contact.objects.filter(pk=pk, **as_seen, **{f"{name}__isnull": name in empty for name in MOMENTS})
        return contacts, {field(name).name: value for name, value in zip(names, new, strict=True)}

    return Update(build, parameters=2 + len(names))


UNTAKEN: Fields = {"accepted_at": None, "first_reaction_at": None}
NEVER_DUE = due_fields(None)


def assigned_to(
    operator_id: int, *, accept_within: float | None, is_on_duty: bool = True, is_forced: bool = False
) -> Fields:
    """The fields for this operator, who must take the contact within these seconds on duty, if there is a limit."""
    return {
        "operator_id": operator_id,
        "waiting_reason": None,
        "assigned_at": timezone.now(),
        "is_forced": is_forced,
        **UNTAKEN,
        **due_fields(accept_within, is_on_duty=is_on_duty),
    }


def waiting_because(reason: str) -> Fields:
    return {
        "operator_id": None,
        "waiting_reason": str(reason),
        "assigned_at": None,
        "is_forced": False,
        **UNTAKEN,
        **NEVER_DUE,
    }


def by_decision(decision: Decision | None, accept_within: float | None) -> Fields:
    """The fields for the chosen operator, or for the queue; None means that older contacts come first."""
    if decision is None:
        return waiting_because(Contact.Waiting.NONE_AVAILABLE)
    if decision.chosen is None:
        return waiting_because(decision.reason or Contact.Waiting.NONE_AVAILABLE)
    return assigned_to(decision.chosen, accept_within=accept_within)
