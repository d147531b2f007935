"""The queue: contacts that nobody has yet. Whatever frees a place drains it, oldest first.

Two sides meet here, and both look after their own commit: who frees a place looks for somebody who waits, and who
begins to wait looks for a free place once more. If only one looked, each could miss the other.
"""

import logging
import random
from collections.abc import Collection

from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef

from leads.models import Contact, ContactQuerySet
from operators import places
from operators.models import Operator
from operators.refusals import Busy
from routing import assignment, races
from routing.models import RosterEntry, Source
from routing.races import LostRace

log = logging.getLogger(__name__)


def assign_in_turn(
    *, source_id: int, draw: float, attempt: int, older_than: int | None = None
) -> tuple[int | None, str | None]:
    """Assigns one contact inside the caller's transaction, unless older ones wait for the same operator.

    Returns the operator's id and None, or None and the reason for waiting. `older_than`: the contact's id if it has
    one already. Raises LostRace.
    """
    decision = assignment.assign(source_id=source_id, draw=draw, attempt=attempt)
    if decision.chosen is None or not somebody_waits_for(decision.chosen, older_than=older_than):
        return decision.chosen, decision.reason
    places.give_back(decision.chosen)  # the newest never overtakes the oldest: it joins the queue behind them
    return None, Contact.Waiting.NONE_AVAILABLE


def somebody_waits_for(operator_id: int, *, older_than: int | None = None) -> bool:
    """Whether the queue holds a contact that this operator may serve, of a lower id than `older_than` if given."""
    waiting = Contact.objects.waiting().filter(
        source__in=Source.objects.current().filter(roster__operator=operator_id).values("pk")
    )
    return (waiting.filter(pk__lt=older_than) if older_than else waiting).exists()


def look_again(contact: Contact) -> Contact:
    """For a contact that has begun to wait, after its commit: drains what its operators serve. Returns it anew."""
    drain(sources_shared_with([contact.source_id]))
    return Contact.objects.get(pk=contact.pk)


def drain_for(operator_id: int) -> int:
    """Something made this operator, or a place of it, free: assigns what waits in the sources that it serves."""
    sources = Source.objects.current().filter(roster__operator=operator_id)
    return drain(list(sources.values_list("pk", flat=True)))


def drain_all() -> int:
    """The sweep: assigns what waits anywhere while somebody is eligible. Returns how many."""
    return drain(list(Source.objects.current().values_list("pk", flat=True)))


def drain(source_ids: Collection[int]) -> int:
    """Assigns waiting contacts of these sources, oldest first, while somebody is eligible. Returns how many.

    Called after a commit that stands, so it never raises for want of luck: what it leaves, the sweep takes.
    """
    assigned = 0
    try:
        if not Contact.objects.waiting().filter(source_id__in=source_ids).exists():
            return 0
        while races.run(lambda attempt: assign_oldest(source_ids, attempt)):
            assigned += 1
        refresh_reasons(source_ids)
    except (Busy, DatabaseError):
        log.warning("The queue of sources %s was left to the sweep", list(source_ids), exc_info=True)
    return assigned


def assign_oldest(source_ids: Collection[int], attempt: int) -> bool:
    """Gives the oldest waiting contact that somebody may take to an operator. False when there is none."""
    free = RosterEntry.objects.filter(source=OuterRef("source"), operator__in=Operator.objects.free())
    takeable = Contact.objects.waiting().filter(Exists(free), source__in=source_ids)
    oldest = takeable.order_by("pk").first()
    if oldest is None:
        return False
    decision = assignment.assign(source_id=oldest.source_id, draw=random.random(), attempt=attempt)
    # Operators are locked before contacts, everywhere: whoever resolves at the same time waits, and does not deadlock.
    contact = Contact.objects.waiting().select_for_update(no_key=True).filter(pk=oldest.pk).first()
    if contact is None or decision.chosen is None:
        raise LostRace
    contact.save(update_fields=contact.hand_to(decision.chosen))
    return True


def refresh_reasons(source_ids: Collection[int]) -> None:
    """Lets what still waits in these sources say why as of now, except what was put back by hand."""
    waiting = (
        Contact.objects.waiting().filter(source_id__in=source_ids).exclude(waiting_reason=Contact.Waiting.RETURNED)
    )
    for source_id in waiting.values_list("source_id", flat=True).distinct():
        reason = assignment.why_nobody_now(source_id=source_id)
        if reason:
            with transaction.atomic():
                set_reason(waiting.filter(source_id=source_id), reason)


def set_reason(waiting: ContactQuerySet, reason: str) -> None:
    """Sets the reason for waiting where it differs, inside the caller's transaction. In key order, as all locks are."""
    others = waiting.exclude(waiting_reason=reason).order_by("pk").select_for_update(no_key=True)
    Contact.objects.filter(pk__in=[contact.pk for contact in others]).update(waiting_reason=reason)


def sources_shared_with(source_ids: Collection[int]) -> list[int]:
    """Ids of the open sources that have an operator in common with these, themselves included."""
    operators = RosterEntry.objects.filter(source__in=source_ids).values("operator")
    return list(Source.objects.current().filter(roster__operator__in=operators).distinct().values_list("pk", flat=True))
