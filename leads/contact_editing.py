"""Edits a stored contact for the API: its message and whether it is resolved.

Each function raises Unknown when the contact does not exist. `by` names the author in the history.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from core import retry
from core.retry import LostRace
from leads import lead_lookup
from routing.history import SYSTEM
from routing.lifecycle import find_contact, reopen_contact, resolve_contact
from routing.models import Contact


def edit_contact(*, contact_id: int, changes: Mapping[str, Any], by: str = SYSTEM) -> Contact:
    """Applies any of `message`, which corrects the text, and `is_resolved`, which resolves or reopens."""
    contact = find_contact(contact_id)
    if "is_resolved" in changes:
        verb = resolve_contact if changes["is_resolved"] else reopen_contact
        contact = verb(contact_id=contact_id, by=by)
    if "message" in changes:
        contact = correct_message(contact_id=contact_id, message=changes["message"])
    return contact


def correct_message(*, contact_id: int, message: str | None) -> Contact:
    """Replaces the text of a contact. Raises Conflict `erased` when its lead has been erased."""
    for attempt in retry.attempts():
        with attempt:
            lead = lead_lookup.lock_survivor(find_contact(contact_id).lead_id)
            if not Contact.objects.filter(pk=contact_id, lead=lead).update(message=message, updated_at=timezone.now()):
                raise LostRace
            contact = find_contact(contact_id)
    return contact
