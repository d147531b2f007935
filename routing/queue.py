"""The queue of contacts without an operator. Every function that frees a place drains it, oldest first.

Both sides check after their own commit: the function that frees a place looks for a waiting contact, and the function
that queues a contact looks again for a free operator. If only one side checked, a match could be missed.
"""

import logging
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core import retry
from core.db.writes import store
from core.errors import Busy
from routing import history, waiting
from routing.assignment import assign_again, decide
from routing.contact_changes import by_decision, change_contact
from routing.history import What
from routing.models import Contact, ContactQuerySet, RosterEntry, Source, Upkeep
from routing.rosters import read_roster

log = logging.getLogger(__name__)

REASONS_TOGETHER = 100  # contacts of a source updated by one event; the sweep does the rest
BATCH = 5_000  # contacts named in one statement


def serve_operator(operator_id: int) -> int:
    """Assigns contacts that wait for this operator, a place of which may have become free. Returns how many."""
    return serve_operators([operator_id])


def serve_operators(operator_ids: Iterable[int], *, burst: int | None = None) -> int:
    """Assigns waiting contacts that these operators may serve, oldest first, while they are free. Returns how many.

    `burst`: how many one operator may get now, 0 disables the limit; QUEUE_BURST unless given.
    """
    burst = settings.QUEUE_BURST if burst is None else burst
    given: Counter[int] = Counter()
    for operator_id in operator_ids:
        with leaving_the_rest_to_the_sweep():
            # Checked before a transaction begins, because most often no contact waits.
            while not (burst and given[operator_id] >= burst) and waiting.oldest_for(operator_id):
                spent = [other for other, number in given.items() if burst and number >= burst]
                served = assign_oldest(operator_id, spent)
                if served is None:
                    break
                given[served] += 1
    return given.total()


@contextmanager
def leaving_the_rest_to_the_sweep() -> Iterator[None]:
    """Logs Busy and database errors instead of raising them, because the caller's change is already committed."""
    try:
        yield
    except (Busy, Error):
        log.warning("The queue was left to the sweep", exc_info=True)


def assign_oldest(operator_id: int, spent: Collection[int] = ()) -> int | None:
    """Assigns the contact that has waited longest for this operator. Returns the operator's id; None if none waits.

    The operator is chosen from the roster by weight as always, so it may be another free one. If an older contact waits
    for that one, the older contact comes first. `spent` are operators who have had their QUEUE_BURST.
    """
    awaited = operator_id
    for attempt in retry.attempts():
        with attempt:
            contact = waiting.oldest_for(awaited)
            if contact is None:
                if awaited == operator_id:
                    return None
                awaited = operator_id
                raise retry.NothingWritten
            assignment = assign_again(contact, draw=random.random(), attempt=attempt.number, excluded=spent)
            if assignment.operator_id is None:
                awaited = assignment.awaited or operator_id
                raise retry.NothingWritten
            # Operators are locked before contacts, everywhere: a concurrent resolve waits and does not deadlock.
            handed = change_contact(contact, **by_decision(assignment.decision))
            event = history.event_of(contact, What.DEQUEUED, history.SYSTEM, decision=assignment.decision)
            store(*assignment.parts(), handed, event)
            history.publish_move(contact, What.DEQUEUED, assignment.decision)
    return assignment.operator_id


def operator_changed(operator_id: int) -> None:
    """After a change of duty, limit or archive: assigns contacts to the operator, updates reasons for waiting."""
    serve_operator(operator_id)
    refresh_reasons(Source.objects.filter(roster__operator=operator_id))


def sources_changed(source_ids: Collection[int]) -> None:
    """After a change of rosters, or a return to the queue: assigns contacts and updates reasons for waiting."""
    with leaving_the_rest_to_the_sweep():
        serve_free_members(source_ids)
    refresh_reasons(Source.objects.filter(pk__in=source_ids))


def serve_new_waiting(contacts: Sequence[Contact], *, are_overtaken: bool = False) -> list[Contact]:
    """Called after the commit of newly queued contacts: looks again for free operators. Returns the contacts as they
    are now. If they `are_overtaken`, waiting behind older contacts only, their reason is known no earlier than now."""
    source_ids = {contact.source_id for contact in contacts}
    with leaving_the_rest_to_the_sweep():
        free = [source_id for source_id in source_ids if waiting.SOMEBODY_IS_FREE(source_id)]
        if free:
            serve_free_members(free)
        if free or are_overtaken:
            newcomers = Contact.objects.waiting().filter(pk__in=[contact.pk for contact in contacts])
            refresh_reasons(Source.objects.filter(pk__in=source_ids), waiting_contacts=newcomers)
            return retry.reload_rows(contacts)
    return list(contacts)


def serve_free_members(source_ids: Collection[int]) -> int:
    """Assigns waiting contacts to free operators on the rosters of these sources. Returns how many."""
    members = RosterEntry.objects.filter(source__in=source_ids).values("operator")
    return serve_operators(waiting.free_operators_waited_for(RosterEntry.objects.filter(operator__in=members)))


def sweep_queue() -> int:
    """Assigns waiting contacts of all sources while operators are free, ignoring QUEUE_BURST. Returns how many."""
    assigned = 0
    while waited_for := waiting.free_operators_waited_for(RosterEntry.objects.all()):
        served = serve_operators(waited_for, burst=0)
        assigned += served
        if not served:
            break
    refresh_reasons(Source.objects.all(), most=None)
    Upkeep.objects.update_or_create(pk=1, defaults={"swept_at": timezone.now()})
    return assigned


def refresh_reasons(
    sources: QuerySet[Source],
    *,
    waiting_contacts: ContactQuerySet | None = None,
    most: int | None = REASONS_TOGETHER,
) -> None:
    """Updates the reason for waiting of contacts in these sources, or of those given, except ones returned by hand.

    `most`: update only this many of each source, the oldest; None for all.
    """
    contacts = Contact.objects.waiting() if waiting_contacts is None else waiting_contacts
    with leaving_the_rest_to_the_sweep():
        for source_id in waiting.sources_with_waiting(sources, contacts).values_list("pk", flat=True).distinct():
            reason = decide(read_roster(source_id), draw=0.0).reason
            if reason:
                with transaction.atomic():
                    set_waiting_reason(contacts.filter(source=source_id), reason, most)


def set_waiting_reason(contacts: ContactQuerySet, reason: str, most: int | None = None) -> None:
    """Sets the reason for waiting where it differs, inside the caller's transaction. Locks in key order.

    Contacts returned by hand keep their reason. The query lists the other reasons instead of excluding this one, so
    that it can use an index.
    """
    others = [value for value in Contact.Waiting.values if value not in (reason, Contact.Waiting.RETURNED)]
    wrong = contacts.filter(waiting_reason__in=others).order_by("pk").select_for_update(no_key=True)
    pks = list(wrong.values_list("pk", flat=True)[:most])
    for start in range(0, len(pks), BATCH):
        Contact.objects.filter(pk__in=pks[start : start + BATCH]).update(waiting_reason=reason)
