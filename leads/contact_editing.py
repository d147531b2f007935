"""Edits a stored contact for the API: its message and whether it is resolved."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from core import retry
from core.retry import LostRace
from leads import lead_lookup, validation
from leads.models import Lead
from leads.warnings import Stored, Warned, stored_warnings
from routing import queue
from routing.history import SYSTEM
from routing.lifecycle import close_contact, find_contact, open_again, serve_if_waiting
from routing.models import Contact
from routing.selection import FirstDraw


def edit_contact(*, contact_id: int, changes: Mapping[str, Any], by: str = SYSTEM) -> Contact:
    """Applies any of `message`, which corrects the text, and `is_resolved`, which resolves or reopens; all or nothing.

    `by` names the author in the history. Raises Unknown, or Conflict `erased` for the message of an erased lead.
    """
    first = FirstDraw()
    for attempt in retry.attempts():
        with attempt:
            # The identities are locked before the operator, as everywhere.
            lead = lead_lookup.lock_survivor(find_contact(contact_id).lead_id) if "message" in changes else None
            contact, freed, is_opened = find_contact(contact_id), None, False
            if changes.get("is_resolved") is True:
                freed = close_contact(contact, by)
            if changes.get("is_resolved") is False:
                is_opened = open_again(contact, by, attempt=attempt.number, first=first)
            if lead:
                correct_message(contact, lead, changes["message"])
    if freed:
        queue.serve_operator(freed)
    return serve_if_waiting(contact) if is_opened else contact


def correct_message(contact: Contact, lead: Lead, message: str | None) -> None:
    """Replaces the text of a contact of this lead, who is locked, and the warnings about it. Raises LostRace if another
    lead has it by now."""
    warned: list[Warned] = []
    contact.message, contact.updated_at = validation.read_message(message, warned), timezone.now()
    contact.warnings = other_warnings(contact) + (stored_warnings(warned) or []) or None
    corrected = Contact.objects.filter(pk=contact.pk, lead=lead)
    if not corrected.update(message=contact.message, warnings=contact.warnings, updated_at=contact.updated_at):
        raise LostRace


def other_warnings(contact: Contact) -> Stored:
    """The stored warnings that are not about the message."""
    return [one for one in contact.warnings or [] if one["field"] != "message"]
