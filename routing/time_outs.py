"""Takes contacts away from operators who have not taken them in time, and offers them to others.

A part of `routing.clock`. When a contact is due is kept by `routing.due_moments`.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db.models import F

from core import retry
from core.changes.models import Via
from core.changes.recording import Author
from core.db.writes import store
from core.retry import LostRace, NothingWritten
from operators.load import lock_operators
from operators.models import Operator
from routing import due_moments, history, operator_actions, queue
from routing.assignment import Assignment, assign
from routing.contact_changes import NEVER_DUE, Fields, by_decision, change_contact, waiting_because
from routing.history import SYSTEM, What
from routing.lifecycle import places_freed, serve_if_waiting
from routing.models import Contact, Exclusion, Source
from routing.rosters import EXCLUDED, read_roster
from routing.selection import FirstDraw
from routing.waiting import excluded_operator_ids, last_operator, operators_awaited_by_older

log = logging.getLogger(__name__)

AT_ONCE = 200  # contacts in one tick, so that the other parts of the clock have their turn
MISSED = "missed offers"  # reason of the change that takes somebody off duty
BY_THE_RULE = Author(SYSTEM, Via.RULE, MISSED)


def time_out_due(now: datetime) -> str:
    """Takes away what is due at this moment, the oldest first. One that fails does not stop the others.

    Returns what was done, for the log. Raises the first failure at the end.
    """
    due = Contact.objects.filter(due_at__lte=now).order_by("due_at", "pk")
    taken, failures = 0, list[Exception]()
    for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]):
        try:
            taken += time_out_contact(contact_id=pk, now=now)
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return f"{taken} timed out," if taken else ""


def time_out_contact(*, contact_id: int, now: datetime, draw: Callable[[], float] = random.random) -> bool:
    """Takes the contact from its operator if it is due at this moment. Returns whether it was.

    1. The contact goes to somebody who has not had it, as if it had been declined. It waits if nobody of those is free;
       because of `nobody_reacted` if there are none, or if `max_offers` of its source have had it.
    2. The operators are locked, then the contact, and it is looked at again: it may have been taken meanwhile.
    3. It counts as missed. After `off_duty_after_missed` in a row the operator goes off duty.
    """
    first = FirstDraw()
    awaited: set[int | None] = set()  # operators for whom older contacts wait, which come first
    for attempt in retry.attempts():
        with attempt:
            contact = find_due(contact_id, now)
            if contact is None:
                continue
            offer = Offer(contact)
            assignment = offer.choose(draw(), attempt.number, awaited, first)
            if assignment.awaited:
                awaited |= {assignment.awaited, *operators_awaited_by_older(contact)}
                raise NothingWritten
            lock_due_contact(contact)
            offer.move(assignment, first)
            goes_off_duty = note_missed(offer.freed, contact.source)
    if contact is None:
        return False
    (queue.operator_changed if goes_off_duty else queue.serve_operator)(offer.freed)
    serve_if_waiting(contact)
    return True


def find_due(contact_id: int, now: datetime) -> Contact | None:
    """The contact with its source; None if it is not due any more. Clears a moment that has no meaning any more."""
    contact = Contact.objects.filter(pk=contact_id, due_at__lte=now).select_related("source").first()
    if contact is None:
        return None
    if contact.is_untaken and contact.source.accept_within is not None and not contact.source.archived_at:
        return contact
    # The source has no limit any more, or is closed: who has the contact keeps it. Or an older version has left it.
    lock_operators([contact.operator_id])
    store(change_contact(contact, **NEVER_DUE))
    return None


class Offer:
    """One contact that was not taken, and who may have it next."""

    def __init__(self, contact: Contact) -> None:
        self.contact, self.roster = contact, replace(read_roster(contact.source_id), keeps_hours=False)
        self.freed = contact.operator_id or 0
        self.holders = contact.holder_ids
        self.excluded = self.holders.union(excluded_operator_ids(contact.pk))
        self.is_used_up = contact.offers >= contact.source.max_offers

    def choose(self, draw: float, attempt: int, awaited: set[int | None], first: FirstDraw) -> Assignment:
        """Locks the chosen operator and the present one; only the present one if nobody may be chosen."""
        contact = self.contact
        if self.is_used_up:
            lock_operators([self.freed])
            return Assignment(None)
        preferred = last_operator(lead_id=contact.lead_id, before=contact.pk) if self.roster.is_sticky else None
        assignment = assign(
            roster=self.roster,
            draw=draw,
            attempt=attempt,
            older_than=contact.pk,
            excluded=awaited | self.excluded,
            preferred=preferred,
            held={self.freed},
            first=first,
        )
        if assignment.operator_id is None:
            lock_operators([self.freed])
        return assignment

    def move(self, assignment: Assignment, first: FirstDraw) -> None:
        """Stores the contact with the chosen operator, or in the queue, and its history."""
        contact, freed, decision = self.contact, self.freed, assignment.decision
        fields: Fields = by_decision(decision, assignment.accept_within)
        others = [one.operator_id for one in self.roster.candidates(self.excluded) if one.obstacle != EXCLUDED]
        if self.is_used_up or (assignment.operator_id is None and not others):
            fields = waiting_because(Contact.Waiting.NOBODY_REACTED)
            decision = None
        moved = change_contact(contact, **fields)
        contact.operator = assignment.operator
        event = history.event_of(contact, What.TIMED_OUT, SYSTEM, from_operator=freed, decision=decision, first=first)
        store(*assignment.parts(), moved, *places_freed(freed), event)
        history.publish_move(contact, What.TIMED_OUT, decision)
        had_it = [Exclusion(contact=contact, operator_id=pk) for pk in sorted(self.holders)]
        Exclusion.objects.bulk_create(
            had_it, update_conflicts=True, unique_fields=["contact", "operator"], update_fields=["until_free"]
        )
        if self.is_used_up:
            self.wait_for_others()

    def wait_for_others(self) -> None:
        """Those who are free and have not had it are not offered it before they have been away or full."""
        free = [one.operator_id for one in self.roster.candidates(self.excluded) if one.obstacle is None]
        Exclusion.objects.bulk_create(
            [Exclusion(contact=self.contact, operator_id=pk, until_free=True) for pk in sorted(free)],
            ignore_conflicts=True,
        )


def lock_due_contact(contact: Contact) -> None:
    """Locks the contact after its operator. Raises LostRace unless it is still due there, as it was read."""
    still = Contact.objects.filter(
        pk=contact.pk, operator=contact.operator_id, due_at=contact.due_at, accepted_at__isnull=True
    )
    if not still.select_for_update(no_key=True).values_list("pk"):
        raise LostRace


def note_missed(operator_id: int, source: Source) -> bool:
    """Counts it, under the operator's lock. Returns whether the operator goes off duty.

    The clock of what this operator still has goes on then, so that no client is forgotten.
    """
    Operator.objects.filter(pk=operator_id).update(missed_in_a_row=F("missed_in_a_row") + 1)
    operator = Operator.objects.get(pk=operator_id)
    most = source.off_duty_after_missed
    if most is None or operator.missed_in_a_row < most:
        return False
    Operator.objects.filter(pk=operator_id).update(missed_in_a_row=0)
    if not operator_actions.set_duty(operator, False, BY_THE_RULE):
        return False
    due_moments.start_clock(operator_id)
    return True
