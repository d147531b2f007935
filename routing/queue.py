"""The queue: contacts that nobody has yet. Whatever frees a place drains it, oldest first.

Two sides meet here, and both look after their own commit: who frees a place looks for somebody who waits, and who
begins to wait looks for a free place once more. If only one looked, each could miss the other.
"""

import logging
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.db import Error, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from core import events, retry
from core.db import compiled
from core.db.inserts import Provided
from core.errors import Busy
from core.retry import LostRace
from operators.load import place_taking_update
from operators.models import Operator
from routing import assignment, history, rosters
from routing.history import What
from routing.models import Contact, ContactQuerySet, Exclusion, RosterEntry, Source, Strategy, Upkeep
from routing.selection import Decision

log = logging.getLogger(__name__)

REASONS_AT_ONCE = 100  # of a source, brought up to date by one event; the sweep does the rest


def find_operator(*, contact: Contact, draw: float, attempt: int) -> Decision | None:
    """Chooses an operator for the contact and takes a place, inside the caller's transaction.

    None when older contacts wait for the very operator: the newest never overtakes the oldest, but joins the queue
    behind them. Raises LostRace.
    """
    return take_in_turn(contact, draw_for(contact, draw, attempt))


def take_in_turn(contact: Contact, drawn: assignment.Drawn) -> Decision | None:
    comes_later = drawn.chosen is not None and somebody_waits_for(drawn.chosen, older_than=contact.pk)
    drawn.confirm()
    return None if comes_later else assignment.take_place(drawn)


def serve_newcomer(
    *, contact: Contact, draw: float, attempt: int, roster: rosters.Roster
) -> tuple[Decision | None, Provided | None]:
    """What `find_operator` does, for a contact that is still to be stored, of whose source this is the roster.

    At first it hopes: the place is taken by the statement that stores the contact, provided that by then the operator,
    who is locked before, is free and nobody waits for it. Else nothing is stored, and the caller starts again.

    It does not hope with `smooth`, where whose turn it is shows under the lock only, nor with QUEUE_BURST, where many
    may wait for somebody who is free.
    """
    drawn = draw_for(contact, draw, attempt, roster=roster)
    if attempt or drawn.source.strategy == Strategy.SMOOTH or settings.QUEUE_BURST:
        return take_in_turn(contact, drawn), None
    events.publish_after_commit(drawn.decided)
    return drawn.decision, None if drawn.chosen is None else Provided(TAKE_IN_TURN, (drawn.chosen,))


def draw_for(
    contact: Contact,
    draw: float,
    attempt: int,
    *,
    held: Collection[int | None] = (),
    excluded: Collection[int | None] = (),
    roster: rosters.Roster | None = None,
) -> assignment.Drawn:
    """Chooses an operator for the contact and locks it, with regard to who gave it back and whom the lead knows.

    `held`, `excluded` and `roster` as for `assignment.draw_and_lock`.
    """
    return assignment.draw_and_lock(
        source=contact.source,
        draw=draw,
        attempt=attempt,
        excluded={*excluded, *excluded_operator_ids(contact)},
        preferred=last_operator(contact) if contact.source.is_sticky else None,
        held=held,
        roster=roster,
    )


def apply_decision(contact: Contact, decision: Decision | None) -> list[str]:
    """Gives the contact to whom `find_operator` has found, or to the queue. Returns the fields to save."""
    if decision is None:
        return contact.hand_to(None, Contact.Waiting.NONE_AVAILABLE)
    return contact.hand_to(decision.chosen, decision.reason)


def serve_new_waiting(contacts: Sequence[Contact]) -> list[Contact]:
    """After the commit of contacts that have begun to wait: drains what their operators serve; returns them anew."""
    newcomers = Contact.objects.waiting().filter(pk__in=[contact.pk for contact in contacts])
    drain_sources(sources_shared_with({contact.source_id for contact in contacts}), refresh=newcomers)
    return retry.reload_rows(contacts)


def drain_for_operator(operator_id: int) -> int:
    """Something made this operator, or a place of it, free: assigns what waits in the sources that it serves."""
    return drain_sources(source_ids_served_by(operator_id))


def sweep_queue() -> int:
    """Assigns what waits anywhere while somebody is eligible, without regard to QUEUE_BURST. Returns how many."""
    assigned = drain_sources(Source.objects.values_list("pk", flat=True), burst=0, reasons=None)
    Upkeep.objects.update_or_create(pk=1, defaults={"swept_at": timezone.now()})
    return assigned


def drain_sources(
    source_ids: Iterable[int],
    *,
    burst: int | None = None,
    refresh: ContactQuerySet | None = None,
    reasons: int | None = REASONS_AT_ONCE,
) -> int:
    """Assigns waiting contacts of these sources, oldest first, while somebody is eligible. Returns how many.

    `burst`: how many one operator may get now, 0 for no bound; QUEUE_BURST unless given. `refresh`: which of those that
    still wait say anew why; all of these sources unless given. `reasons`: how many of each source may, the oldest of
    them, None for all. Called after a commit that stands, so it never raises for want of luck or of a database: what it
    leaves, the sweep takes.
    """
    burst = settings.QUEUE_BURST if burst is None else burst
    given: Counter[int] = Counter()
    try:
        sources = set(source_ids)
        if not Contact.objects.waiting().filter(source_id__in=sources).exists():
            return 0
        while True:
            spent = [operator_id for operator_id, number in given.items() if burst and number >= burst]
            operator_id = retry.run(partial(assign_oldest, sources, spent))
            if operator_id is None:
                break
            given[operator_id] += 1
        refresh_reasons(Contact.objects.waiting() if refresh is None else refresh, sources, reasons)
    except (Busy, Error):
        log.warning("The queue was left to the sweep", exc_info=True)
    return given.total()


def assign_oldest(sources: set[int], spent: Collection[int], attempt: int) -> int | None:
    """Gives the oldest waiting contact that somebody may take to an operator, whose id it returns; None if none is.

    When an older one in another source waits for the drawn operator, that source joins `sources`, and we start again.
    """
    free = RosterEntry.objects.current().filter(source__in=sources, operator__in=Operator.objects.free())
    with_room = set(free.exclude(operator__in=spent).values_list("source_id", flat=True))
    oldest = assignable_contacts(without=spent).filter(source_id__in=with_room).order_by("pk").first()
    if oldest is None:
        return None
    drawn = draw_for(oldest, random.random(), attempt, excluded=spent)
    if drawn.chosen is None:
        raise LostRace
    if somebody_waits_for(drawn.chosen, older_than=oldest.pk):
        sources.update(source_ids_served_by(drawn.chosen))
        raise LostRace
    decision = assignment.take_place(drawn)
    # Operators are locked before contacts, everywhere: whoever resolves at the same time waits, and does not deadlock.
    contact = Contact.objects.waiting().select_for_update(no_key=True).filter(pk=oldest.pk).first()
    if contact is None:
        raise LostRace
    contact.save(update_fields=apply_decision(contact, decision))
    history.record_event(contact=contact, what=What.DEQUEUED, by=history.SYSTEM, decision=decision)
    return decision.chosen


def source_ids_served_by(operator_id: int) -> QuerySet[Source, int]:
    """Ids of the open sources that this operator serves, not read yet."""
    return Source.objects.current().filter(roster__operator=operator_id).values_list("pk", flat=True)


def assignable_contacts(*, without: Collection[int] = ()) -> ContactQuerySet:
    """What waits although somebody of its roster is free, who did not give it back and is not among `without`."""
    gave_it_back = Exclusion.objects.filter(contact=OuterRef(OuterRef("pk")), operator=OuterRef("operator"))
    free = RosterEntry.objects.current().filter(
        ~Exists(gave_it_back), source=OuterRef("source"), operator__in=Operator.objects.free().exclude(pk__in=without)
    )
    return Contact.objects.waiting().filter(Exists(free)).select_related("source")


def somebody_waits_for(operator_id: int, *, older_than: int | None = None) -> bool:
    """Whether the queue holds a contact that this operator may serve, of a lower id than `older_than` if given."""
    return OLDER_WAITS(operator_id, older_than) if older_than else ANYBODY_WAITS(operator_id)


def waiting_for(operator_id: Any) -> ContactQuerySet:
    served = Source.objects.current().filter(roster__operator=operator_id)
    gave_it_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=operator_id)
    return Contact.objects.waiting().filter(~Exists(gave_it_back), source__in=served.values("pk"))


ANYBODY_WAITS = compiled.Exists(waiting_for)
OLDER_WAITS = compiled.Exists(lambda operator_id, pk: waiting_for(operator_id).filter(pk__lt=pk))
TAKE_IN_TURN = compiled.Update(
    lambda operator_id: place_taking_update(
        Operator.objects.free().filter(~Exists(waiting_for(operator_id)), pk=operator_id),
    )
)


def operators_waited_for(operator_ids: Collection[int]) -> set[int]:
    """Those of these operators for whom somebody waits: `somebody_waits_for`, asked once for all."""
    gave_it_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=OuterRef(OuterRef("operator")))
    # Worded for PostgreSQL: asked whether anybody waits, it reads the whole queue; asked for the oldest of one source,
    # it may go through all contacts by age. A range of one source in the order of the index leaves it only the index.
    of_source = {"source__gte": OuterRef("source"), "source__lte": OuterRef("source")}
    oldest = Contact.objects.waiting().filter(~Exists(gave_it_back), **of_source).order_by("source", "pk")
    entries = RosterEntry.objects.filter(operator__in=operator_ids, source__archived_at__isnull=True)
    found = entries.alias(oldest=Subquery(oldest.values("pk")[:1])).filter(oldest__isnull=False)
    return set(found.values_list("operator_id", flat=True))


def excluded_operator_ids(contact: Contact) -> Collection[int]:
    """Who gave this contact back and is not offered it again. A contact that is being born was with nobody."""
    return list(contact.exclusions.values_list("operator_id", flat=True)) if contact.pk else ()


def last_operator(contact: Contact) -> int | None:
    """Who had the lead's last contact before this one."""
    if not contact.lead_id:
        return None  # somebody new, who is stored together with the contact
    earlier = Contact.objects.filter(lead_id=contact.lead_id, operator__isnull=False)
    if contact.pk:
        earlier = earlier.filter(pk__lt=contact.pk)
    return earlier.order_by("-pk").values_list("operator_id", flat=True).first()


def refresh_reasons(waiting: ContactQuerySet, source_ids: Collection[int], most: int | None) -> None:
    """Lets those of these that wait in these sources say why as of now, except what was put back by hand.

    `most`: how many of each source, the oldest, at once; None for all.
    """
    for source in sources_with_any(waiting, source_ids):
        reason = assignment.decide_now(source=source, draw=0.0).reason
        if reason:
            with transaction.atomic():
                set_waiting_reason(waiting.filter(source=source), reason, most)


def sources_with_any(waiting: ContactQuerySet, source_ids: Collection[int]) -> QuerySet[Source]:
    """Those of these sources where any of these wait. Worded for PostgreSQL, as in `awaited`."""
    of_source = waiting.filter(source__gte=OuterRef("pk"), source__lte=OuterRef("pk")).order_by("source", "pk")
    sources = Source.objects.filter(pk__in=source_ids).alias(oldest=Subquery(of_source.values("pk")[:1]))
    return sources.filter(oldest__isnull=False)


def set_waiting_reason(waiting: ContactQuerySet, reason: str, most: int | None = None) -> None:
    """Sets the reason for waiting where it differs, inside the caller's transaction. In key order, as all locks are.

    What was put back by hand stays so. The others are named, not excluded: an index finds them among all that wait.
    """
    others = [value for value in Contact.Waiting.values if value not in (reason, Contact.Waiting.RETURNED)]
    wrong = waiting.filter(waiting_reason__in=others).order_by("pk").select_for_update(no_key=True)
    for pks in in_batches(list(wrong.values_list("pk", flat=True)[:most]), 5_000):
        Contact.objects.filter(pk__in=pks).update(waiting_reason=reason)


def in_batches(pks: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(pks), size):
        yield pks[start : start + size]


def sources_shared_with(source_ids: Collection[int]) -> Iterator[int]:
    """Ids of these sources and of the open ones that have an operator in common with them; read when asked for."""
    yield from source_ids
    operators = RosterEntry.objects.filter(source__in=source_ids).values("operator")
    yield from Source.objects.current().filter(roster__operator__in=operators).distinct().values_list("pk", flat=True)
