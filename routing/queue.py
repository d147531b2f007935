"""The queue: contacts that nobody has yet. Whatever frees a place drains it, oldest first.

Two sides meet here, and both look after their own commit: the verb that frees a place looks for a waiting contact, and
the verb that has queued a contact looks for a free operator once more. If only one looked, each could miss the other.
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

REASONS_TOGETHER = 100  # of a source, brought up to date by one event; the sweep does the rest
BATCH = 5_000  # contacts named in one statement


def serve_operator(operator_id: int) -> int:
    """A place of this operator may have become free: assigns contacts that wait for it. Returns how many."""
    return serve_operators([operator_id])


def serve_operators(operator_ids: Iterable[int], *, burst: int | None = None) -> int:
    """Assigns waiting contacts that these operators may serve, oldest first, while they are free. Returns how many.

    `burst`: how many one operator may get now, 0 disables the limit; QUEUE_BURST unless given.
    """
    burst = settings.QUEUE_BURST if burst is None else burst
    given: Counter[int] = Counter()
    with leaving_the_rest_to_the_sweep():
        for operator_id in operator_ids:
            # Asked before a transaction is begun, because most often nobody waits.
            while not (burst and given[operator_id] >= burst) and waiting.oldest_for(operator_id):
                spent = [other for other, number in given.items() if burst and number >= burst]
                served = assign_oldest(operator_id, spent)
                if served is None:
                    break
                given[served] += 1
    return given.total()


@contextmanager
def leaving_the_rest_to_the_sweep() -> Iterator[None]:
    """After a commit that stands: neither Busy nor an error of the database may become the answer."""
    try:
        yield
    except (Busy, Error):
        log.warning("The queue was left to the sweep", exc_info=True)


def assign_oldest(operator_id: int, spent: Collection[int] = ()) -> int | None:
    """Gives the contact that has waited longest for this operator to somebody of its roster; None if there is none.

    The roster decides by weight as always, so it may go to another free operator, whose id is returned then. When an
    older contact waits for that one, the older contact comes first. `spent` have had their QUEUE_BURST.
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
            # Operators are locked before contacts, everywhere: a verb that resolves this one waits, and no deadlock.
            handed = change_contact(contact, **by_decision(assignment.decision))
            event = history.event_of(contact, What.DEQUEUED, history.SYSTEM, decision=assignment.decision)
            store(*assignment.parts(), handed, event)
            history.publish_move(contact, What.DEQUEUED, assignment.decision)
    return assignment.operator_id


def operator_changed(operator_id: int) -> None:
    """Duty, limit or archive of this operator have changed: serves what waits for it, and updates why others wait."""
    serve_operator(operator_id)
    refresh_reasons(Source.objects.filter(roster__operator=operator_id))


def sources_changed(source_ids: Collection[int]) -> None:
    """The same for a change of rosters, or after contacts have been put back into the queue of these sources."""
    with leaving_the_rest_to_the_sweep():
        serve_free_members(source_ids)
    refresh_reasons(Source.objects.filter(pk__in=source_ids))


def serve_new_waiting(contacts: Sequence[Contact]) -> list[Contact]:
    """After the commit of contacts that have begun to wait: looks for free operators once more. Returns them as they
    are now."""
    with leaving_the_rest_to_the_sweep():
        free = [pk for pk in {contact.source_id for contact in contacts} if waiting.SOMEBODY_IS_FREE(pk)]
        if free:
            serve_free_members(free)
            newcomers = Contact.objects.waiting().filter(pk__in=[contact.pk for contact in contacts])
            refresh_reasons(Source.objects.filter(pk__in=free), waiting_contacts=newcomers)
            return retry.reload_rows(contacts)
    return list(contacts)


def serve_free_members(source_ids: Collection[int]) -> int:
    """Serves the operators on the rosters of these sources who are free although somebody waits for them."""
    members = RosterEntry.objects.filter(source__in=source_ids).values("operator")
    return serve_operators(waiting.free_operators_waited_for(RosterEntry.objects.filter(operator__in=members)))


def sweep_queue() -> int:
    """Assigns what waits anywhere while somebody is eligible, without regard to QUEUE_BURST. Returns how many."""
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
    """Lets contacts that wait in these sources, or those given, say why as of now, except what was put back by hand.

    `most`: how many of each source in one event, the oldest; None for all.
    """
    contacts = Contact.objects.waiting() if waiting_contacts is None else waiting_contacts
    with leaving_the_rest_to_the_sweep():
        for source_id in waiting.sources_with_waiting(sources, contacts).values_list("pk", flat=True).distinct():
            reason = decide(read_roster(source_id), draw=0.0).reason
            if reason:
                with transaction.atomic():
                    set_waiting_reason(contacts.filter(source=source_id), reason, most)


def set_waiting_reason(contacts: ContactQuerySet, reason: str, most: int | None = None) -> None:
    """Sets the reason for waiting where it differs, inside the caller's transaction. In key order, as all locks are.

    What was put back by hand stays so. The others are named, not excluded: an index finds them among all that wait.
    """
    others = [value for value in Contact.Waiting.values if value not in (reason, Contact.Waiting.RETURNED)]
    wrong = contacts.filter(waiting_reason__in=others).order_by("pk").select_for_update(no_key=True)
    pks = list(wrong.values_list("pk", flat=True)[:most])
    for start in range(0, len(pks), BATCH):
        Contact.objects.filter(pk__in=pks[start : start + BATCH]).update(waiting_reason=reason)
