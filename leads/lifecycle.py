"""The life of a contact after its birth: one verb for each change, called by API, back-office and commands alike.

Locks are taken in one order everywhere: leads, operators by key, contacts by key.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from leads import queue
from leads.models import Contact
from operators import places
from operators.refusals import Unknown
from routing import races
from routing.races import LostRace


def resolve_contact(*, contact_id: int) -> Contact:
    """Closes the contact and gives its operator's place to the longest-waiting contact that may have it.

    Closing a closed contact changes nothing. Raises Unknown.
    """

    def work(attempt: int) -> tuple[Contact, int | None]:
        seen = find(contact_id)
        if seen.is_resolved:
            return seen, None
        if seen.operator_id:
            places.lock([seen.operator_id])
        contact = lock_unchanged(seen)
        contact.resolved_at, contact.waiting_reason = timezone.now(), None
        contact.save(update_fields=["resolved_at", "waiting_reason", "updated_at"])
        if contact.operator_id:
            places.give_back(contact.operator_id)
        return contact, contact.operator_id

    contact, freed = races.run(work)
    if freed:
        queue.drain_for(freed)
    return contact


def reopen_contact(*, contact_id: int, draw: Callable[[], float] = random.random) -> Contact:
    """Opens a closed contact again: for the same operator if it is free, else routed afresh.

    Opening an open contact changes nothing. Raises Unknown.
    """

    def work(attempt: int) -> tuple[Contact, bool]:
        seen = find(contact_id)
        if not seen.is_resolved:
            return seen, False
        operator_id, reason = take_again(seen, draw(), attempt)
        contact = lock_unchanged(seen)
        contact.resolved_at = None
        contact.save(update_fields=["resolved_at", *contact.hand_to(operator_id, reason)])
        return contact, operator_id is None

    contact, waits = races.run(work)
    return queue.look_again(contact) if waits else contact


def change_contact(*, contact_id: int, changes: Mapping[str, Any]) -> Contact:
    """Any of `message`, which corrects the text, and `is_resolved`, which resolves or reopens. Raises Unknown."""
    contact = find(contact_id)
    if "message" in changes:
        contact = correct_message(contact_id=contact_id, message=changes["message"])
    if "is_resolved" in changes:
        verb = resolve_contact if changes["is_resolved"] else reopen_contact
        contact = verb(contact_id=contact_id)
    return contact


def correct_message(*, contact_id: int, message: str | None) -> Contact:
    """Replaces the text of a contact. Raises Unknown."""

    def work(attempt: int) -> Contact:
        contact = lock_unchanged(find(contact_id))
        contact.message = message
        contact.save(update_fields=["message", "updated_at"])
        return contact

    return races.run(work)


def find(contact_id: int) -> Contact:
    contact = Contact.objects.select_related("operator").filter(pk=contact_id).first()
    if contact is None:
        raise Unknown("contact", contact_id)
    return contact


def lock_unchanged(seen: Contact) -> Contact:
    """Locks the contact's row. Raises LostRace when it has changed hands or state since it was read."""
    contact = Contact.objects.select_for_update(no_key=True).get(pk=seen.pk)
    if (contact.operator_id, contact.resolved_at) != (seen.operator_id, seen.resolved_at):
        raise LostRace
    return contact


def take_again(seen: Contact, draw: float, attempt: int) -> tuple[int | None, str | None]:
    """A place for a closed contact: its operator's if that is free, else a drawn one. Operator id, reason for none."""
    if seen.operator and not seen.operator.obstacle:
        if places.lock([seen.operator.pk])[seen.operator.pk].obstacle:
            raise LostRace
        places.take(seen.operator.pk)
        return seen.operator.pk, None
    return queue.assign_in_turn(source_id=seen.source_id, draw=draw, attempt=attempt, older_than=seen.pk)
