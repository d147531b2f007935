"""The queue of contacts without an operator. Every function that frees a place drains it, oldest first.

Both sides check after their own commit: the function that frees a place looks for a waiting contact, and the function
that queues a contact looks again for a free operator. If only one side checked, a match could be missed.
"""

import logging
import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.db import Error
from django.db.models import QuerySet
from django.utils import timezone

from core import retry
from core.db import named_locks
from core.db.writes import store
from core.errors import Busy
from routing import bookkeeping, history, waiting
from routing.assignment import assign_again, decide
from routing.contact_changes import by_decision, change_contact
from routing.history import What
from routing.models import Contact, ContactQuerySet, RosterEntry, Source
from routing.rosters import read_roster
from routing.selection import FirstDraw

log = logging.getLogger(__name__)

REASONS_TOGETHER = 100  # contacts of a source updated by one event; the sweep does the rest
DRAIN = 1  # purpose of the lock of those who drain one source
BATCH = 5_000  # contacts named in one statement


def serve_operator(operator_id: int) -> int:
    """Assigns contacts that wait for this operator, a place of which may have become free. Returns how many."""
    return serve_operators([operator_id])


def serve_operators(operator_ids: Iterable[int], *, failures: list[Exception] | None = None) -> int:
    """Assigns waiting contacts that these operators may serve, oldest first, while they are free and their pace allows
    it. Returns how many."""
    assigned = 0
    firsts: dict[int, FirstDraw] = {}
    for operator_id in operator_ids:
        with leaving_the_rest_to_the_sweep(failures):
            # Checked before a transaction begins, because most often no contact waits.
            while oldest := waiting.oldest_for(operator_id):
                if assign_oldest(operator_id, oldest.source_id, firsts) is None:
                    break
                assigned += 1
    return assigned


@contextmanager
def leaving_the_rest_to_the_sweep(failures: list[Exception] | None = None) -> Iterator[None]:
    """Logs any error instead of raising it, because the caller's change is already committed.

    Adds it to `failures`, for the sweep itself, unless it is Busy: those who won the races have drained the queue.
    """
    try:
        yield
    except Busy:
        log.warning("The queue was left to the sweep", exc_info=True)
    except Exception as error:
        level = logging.WARNING if isinstance(error, Error) else logging.ERROR
        log.log(level, "The queue was left to the sweep", exc_info=True)
        if failures is not None:
            failures.append(error)


def assign_oldest(operator_id: int, source_id: int, firsts: dict[int, FirstDraw]) -> int | None:
    """Assigns the contact that has waited longest for this operator. Returns the operator's id; None if none waits.

    Those who drain a source at the same time, `source_id` of the contact when it was last looked for, take turns: they
    would all choose its oldest contact, and all but one would start again.

    The operator is chosen from the roster by weight as always, so it may be another free one. If an older contact waits
    for that one, the older contact comes first. `firsts` has the first draw of each contact, kept also while an older
    contact comes first.
    """
    awaited = operator_id
    for attempt in retry.attempts():
        with attempt:
            named_locks.wait_for_turn(DRAIN, source_id)
            contact = waiting.oldest_for(awaited)
            if contact is None:
                if awaited == operator_id:
                    return None
                awaited = operator_id
                raise retry.NothingWritten
            first = firsts.setdefault(contact.pk, FirstDraw())
            assignment = assign_again(contact, draw=random.random(), attempt=attempt.number, first=first)
            if assignment.operator_id is None:
                awaited = assignment.awaited or operator_id
                raise retry.NothingWritten
            # Operators are locked before contacts, everywhere: a concurrent resolve waits and does not deadlock.
            handed = change_contact(contact, **by_decision(assignment.decision, assignment.accept_within))
            event = history.event_of(contact, What.DEQUEUED, history.SYSTEM, decision=assignment.decision, first=first)
            store(*assignment.parts(), handed, event)
            history.publish_move(contact, What.DEQUEUED, assignment.decision)
    return assignment.operator_id


def operator_changed(operator_id: int) -> None:
    """After a change of duty, limit or archive: assigns contacts to the operator, updates reasons for waiting."""
    operators_changed([operator_id])


def operators_changed(operator_ids: Collection[int]) -> None:
    serve_operators(operator_ids)
    refresh_reasons(Source.objects.filter(roster__operator__in=operator_ids))


def sources_changed(source_ids: Collection[int]) -> None:
    """After a change of rosters, or a return to the queue: assigns contacts and updates reasons for waiting."""
    with leaving_the_rest_to_the_sweep():
        serve_ready_members(source_ids)
    refresh_reasons(Source.objects.filter(pk__in=source_ids))


def serve_new_waiting(contacts: Sequence[Contact], *, are_overtaken: bool = False) -> list[Contact]:
    """Called after the commit of newly queued contacts: looks again for free operators. Returns the contacts as they
    are now. If they `are_overtaken`, waiting behind older contacts only, their reason is known no earlier than now."""
    source_ids = {contact.source_id for contact in contacts}
    with leaving_the_rest_to_the_sweep():
        ready = [source_id for source_id in source_ids if waiting.SOMEBODY_IS_READY(source_id)]
        if ready:
            serve_ready_members(ready)
        if ready or are_overtaken:
            newcomers = Contact.objects.waiting().filter(pk__in=[contact.pk for contact in contacts])
            refresh_reasons(Source.objects.filter(pk__in=source_ids), waiting_contacts=newcomers)
            return retry.reload_rows(contacts)
    return list(contacts)


def serve_ready_members(source_ids: Collection[int]) -> int:
    """Assigns waiting contacts to operators on the rosters of these sources who are ready. Returns how many."""
    members = RosterEntry.objects.filter(source__in=source_ids).values("operator")
    ready = waiting.ready_operators_waited_for(RosterEntry.objects.filter(operator__in=members))
    return serve_operators(ready)


def sweep_queue() -> int:
    """Assigns waiting contacts of all sources while operators are ready for them. Returns how many.

    What fails for one operator does not stop the others. Raises the first failure at the end: `swept_at` is the time
    of the last sweep that did everything.
    """
    assigned, failures = 0, list[Exception]()
    while waited_for := waiting.ready_operators_waited_for(RosterEntry.objects.all()):
        served = serve_operators(waited_for, failures=failures)
        assigned += served
        if not served:
            break
    refresh_reasons(Source.objects.all(), most=None, failures=failures)
    if failures:
        raise failures[0]
    bookkeeping.note_moments(swept_at=timezone.now())
    return assigned


def refresh_reasons(
    sources: QuerySet[Source],
    *,
    waiting_contacts: ContactQuerySet | None = None,
    most: int | None = REASONS_TOGETHER,
    failures: list[Exception] | None = None,
) -> None:
    """Updates the reason for waiting of contacts in these sources, or of those given, except ones returned by hand.

    `most`: update only this many of each source, the oldest; None for all.
    """
    contacts = Contact.objects.waiting() if waiting_contacts is None else waiting_contacts
    with leaving_the_rest_to_the_sweep(failures):
        for source_id in waiting.sources_with_waiting(sources, contacts).values_list("pk", flat=True).distinct():
            # Without a reason somebody is ready, who has given back those that wait nevertheless.
            reason = decide(read_roster(source_id).for_queue(), draw=0.0).reason or Contact.Waiting.NONE_AVAILABLE
            for attempt in retry.attempts():
                with attempt:
                    set_waiting_reason(contacts.filter(source=source_id), reason, most)


def set_waiting_reason(contacts: ContactQuerySet, reason: str, most: int | None = None) -> None:
    """Sets the reason for waiting where it differs, inside the caller's transaction. Locks in key order.

    Contacts returned by hand, and those to which nobody has reacted, keep their reason. The query lists the other
    reasons instead of excluding these, so that it can use an index.
    """
    kept = (reason, Contact.Waiting.RETURNED, Contact.Waiting.NOBODY_REACTED)
    others = [value for value in Contact.Waiting.values if value not in kept]
    wrong = contacts.filter(waiting_reason__in=others).order_by("pk").select_for_update(no_key=True)
    pks = list(wrong.values_list("pk", flat=True)[:most])
    for start in range(0, len(pks), BATCH):
        Contact.objects.filter(pk__in=pks[start : start + BATCH]).update(waiting_reason=reason)
