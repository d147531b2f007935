"""What an operator does with a contact that was assigned: takes it, declines it, replies to the client.

One function for each, called by API, pages and messengers alike. They lock like those of `routing.lifecycle`, take
`expected_operator_id` like them, and raise Unknown, or Conflict if the contact is resolved or waits in the queue.
"""

import random
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry, text
from core.db import compiled
from core.db.writes import store
from core.errors import Conflict, FieldError, Invalid
from core.retry import LostRace, NothingWritten
from operators.load import lock_operators
from operators.models import Operator
from routing import history, queue, waiting
from routing.assignment import Assignment, assign_again
from routing.contact_changes import NEVER_DUE, Fields, by_decision, change_contact, waiting_because
from routing.history import SYSTEM, What
from routing.lifecycle import ANYBODY, ExpectedOperator, find_open_contact, places_freed, serve_if_waiting
from routing.models import Contact, Exclusion
from routing.models.history import LONGEST_NOTE
from routing.selection import FirstDraw

LONGEST_REASON = LONGEST_NOTE  # characters
OF_ERASED_LEAD = compiled.Exists(lambda pk: Contact.objects.filter(pk=pk, lead__erased_at__isnull=False))


def accept_contact(*, contact_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY) -> Contact:
    """The operator who has the contact takes it. Taking it again changes nothing."""
    for attempt in retry.attempts():
        with attempt:
            contact = find_assigned_contact(contact_id, expected_operator_id)
            if contact.accepted_at is None:
                note_moments(contact, {What.ACCEPTED: "accepted_at"}, by)
    return contact


def touch_contact(*, contact_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY) -> Contact:
    """The operator who has the contact has replied to the client, which also takes it. Only the first reply counts."""
    for attempt in retry.attempts():
        with attempt:
            contact = find_assigned_contact(contact_id, expected_operator_id)
            moments = {What.ACCEPTED: "accepted_at", What.TOUCHED: "first_reaction_at"}
            missing = {what: name for what, name in moments.items() if getattr(contact, name) is None}
            if missing:
                note_moments(contact, missing, by)
    return contact


def note_moments(contact: Contact, names: dict[What, str], by: str) -> None:
    """Sets these fields to now, each with an event, inside the caller's transaction."""
    # Functions that take all contacts from an operator rely on its lock: none of them changes meanwhile.
    [operator] = lock_operators([contact.operator_id]).values()
    now: datetime = timezone.now()
    changed = change_contact(contact, **dict.fromkeys(names.values(), now), **NEVER_DUE)
    store(changed, *(history.event_of(contact, what, by) for what in names))
    for what in names:
        history.publish_move(contact, what, None)
    if operator.missed_in_a_row:
        forget_missed(operator.pk)


def forget_missed(operator_id: int) -> None:
    """The operator has reacted to an offer, which ends the row of those that were missed."""
    Operator.objects.filter(pk=operator_id, missed_in_a_row__gt=0).update(missed_in_a_row=0)


def decline_contact(
    *,
    contact_id: int,
    reason: str | None = None,
    by: str = SYSTEM,
    draw: Callable[[], float] = random.random,
    expected_operator_id: ExpectedOperator = ANYBODY,
) -> Contact:
    """The operator who has the contact gives it back: it goes to another one who has not had it, or to the queue.

    It is not offered again to those who have had it, except by hand. No newer contact overtakes an older one that waits
    for the same operator. `reason` are the operator's words, up to LONGEST_REASON characters: stored in the history,
    unless the client's data are erased. Raises Invalid if it is longer.
    """
    reason = read_reason(reason)
    first = FirstDraw()
    awaited: set[int | None] = set()  # operators for whom older contacts wait, which come first
    for attempt in retry.attempts():
        with attempt:
            contact = find_assigned_contact(contact_id, expected_operator_id)
            freed, holders, was_timed = contact.operator_id, contact.holder_ids, contact.due_at or contact.due_left
            assignment = assign_again(
                contact, draw=draw(), attempt=attempt.number, excluded=awaited | holders, held={freed}, first=first
            )
            if assignment.awaited:
                awaited |= {assignment.awaited, *waiting.operators_awaited_by_older(contact)}
                raise NothingWritten
            store_decline(contact, assignment, reason, by, first)
            Exclusion.objects.bulk_create(
                [Exclusion(contact=contact, operator_id=pk) for pk in sorted(holders)], ignore_conflicts=True
            )
            if was_timed:
                forget_missed(freed or 0)
    if freed:
        queue.serve_operator(freed)
    return serve_if_waiting(contact)


def store_decline(contact: Contact, assignment: Assignment, reason: str | None, by: str, first: FirstDraw) -> None:
    """Moves the contact to the chosen operator, or to the queue, inside the caller's transaction."""
    freed, decision = contact.operator_id, assignment.decision
    fields: Fields = by_decision(decision, assignment.accept_within)
    if assignment.operator_id is None:
        decision = None  # it waits because it was given back, whatever the roster looks like now
        fields = waiting_because(Contact.Waiting.RETURNED)
        lock_operators([freed])
    note = None if reason and is_erased(contact) else reason
    moved = change_contact(contact, **fields)
    contact.operator = assignment.operator
    event = history.event_of(contact, What.DECLINED, by, from_operator=freed, decision=decision, first=first, note=note)
    store(*assignment.parts(), moved, *places_freed(freed), event)
    if note and is_erased(contact):
        raise LostRace  # an erasure has held the contact until now, and may not have seen the note
    history.publish_move(contact, What.DECLINED, decision)


def is_erased(contact: Contact) -> bool:
    return OF_ERASED_LEAD(contact.pk)


def read_reason(reason: str | None) -> str | None:
    """The words without surrounding space, None if there are none. Raises Invalid."""
    words = text.trim(text.replace_unstorable(reason or ""))
    if len(words) > LONGEST_REASON:
        detail = _("A reason has at most %(limit)s characters.") % {"limit": LONGEST_REASON}
        raise Invalid(FieldError("reason", "max_length", detail))
    return words or None


def find_assigned_contact(contact_id: int, expected: ExpectedOperator) -> Contact:
    contact = find_open_contact(contact_id, expected)
    if contact.operator_id is None:
        raise Conflict("waiting", _("Contact %(id)s waits in the queue: nobody has it.") % {"id": contact_id})
    return contact
