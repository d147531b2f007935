"""Sums over decisions by source and operator: complete hours are tallied once, later decisions are counted when asked.

The sweep tallies, or else the first report. Everything is counted from the history, so tallies can be made again.
"""

import logging
from collections import defaultdict
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max, QuerySet, Sum
from django.utils import timezone

from core import retry
from operators.models import Operator
from routing import candidate_codec
from routing.decision_sums import SourceSums, Sums
from routing.models import ContactEvent, Strategy, Tally, Upkeep
from routing.selection import STRATEGIES

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
GRACE = timedelta(minutes=10)  # a decision may be committed this long after its timestamp
SETTLED = timedelta(days=1)  # an hour that ended this long ago was complete when it was tallied
TOGETHER = 200  # decisions read at a time; on a roster of a thousand each has 21 kB

Pair = tuple[int, int]  # source id, operator id
FIELDS = [field.name for field in fields(Sums)]
ALWAYS = {"assigned", "expected", "variance"}  # stored even if they are 0


class Counts:
    """The sums of all sources; decisions are added in the order in which they were taken."""

    def __init__(self) -> None:
        self.sources: dict[int, SourceSums] = defaultdict(SourceSums)

    def add(
        self, source_id: int, strategy: str, preferred: int | None, operator_id: int | None, evidence: bytes
    ) -> None:
        """One event of the history, judged by its first draw. Without any choice it does not count. Raises ValueError
        if it cannot be read."""
        if strategy not in STRATEGIES:
            raise ValueError(f"An unknown strategy: {strategy}")
        found = candidate_codec.split_evidence(evidence)
        if found.first:
            strategy, _draw, preferred, chosen = found.first
            taker = operator_id if found.members is not None else None
            members = found.first_members
        elif operator_id is None or found.members is None:
            return
        else:
            chosen = taker = operator_id
            members = found.members
        self.sources[source_id].add(members, strategy=strategy, preferred=preferred, chosen=chosen, operator_id=taker)

    def by_pair(self) -> dict[Pair, Sums]:
        return {
            (source_id, operator_id): its
            for source_id, sums in self.sources.items()
            for operator_id, its in sums.settle().items()
        }


def sums_of_period(source_id: int | None, since: datetime | None, until: datetime | None) -> dict[Pair, Sums]:
    """The sums of a period: complete hours from the tallies, partial hours at both ends from the decisions."""
    tallied_until = Upkeep.objects.values_list("tallied_until", flat=True).first()
    first = ceil_hour(since) if since else None
    last = min(floor_hour(until), tallied_until) if until and tallied_until else tallied_until
    if last is None or (first and first >= last):
        return count_decisions(source_id, since, until)
    sums = count_decisions(source_id, last, until)
    if since and since != first:
        add_up(sums, count_decisions(source_id, since, first))
    tallies = Tally.objects.filter(hour__lt=last)
    tallies = tallies.filter(hour__gte=first) if first else tallies
    tallies = tallies.filter(source=source_id) if source_id else tallies
    rows = tallies.values_list("source", "operator").annotate(*map(Sum, FIELDS))
    add_up(sums, {(source, operator): Sums(*(number or 0 for number in its)) for source, operator, *its in rows})
    return sums


def add_up(sums: dict[Pair, Sums], others: dict[Pair, Sums]) -> None:
    """Adds the others to the sums."""
    for pair, other in others.items():
        its = sums.setdefault(pair, other)
        if its is not other:
            for name in FIELDS:
                setattr(its, name, getattr(its, name) + getattr(other, name))


def count_decisions(source_id: int | None, since: datetime | None, until: datetime | None) -> dict[Pair, Sums]:
    """The sums of a period, from its decisions and from what was given by hand."""
    counts, in_turn = Counts(), None
    events = in_period(ContactEvent.objects.all(), since, until)
    events = events.filter(contact__source=source_id) if source_id else events
    decisions = events.filter(strategy__isnull=False).order_by("at", "pk")
    for pk, source, strategy, preferred, operator_id, evidence in decisions.values_list(
        "pk", "contact__source", "strategy", "preferred", "to_operator", "evidence"
    ).iterator(TOGETHER):
        if strategy == Strategy.SMOOTH and since and source not in counts.sources:
            in_turn = last_turns(source_id, since) if in_turn is None else in_turn
            if source in in_turn:
                counts.sources[source].begin_turns(in_turn[source])
        try:
            counts.add(source, strategy or "", preferred, operator_id, bytes(evidence or b""))
        except (ValueError, ZeroDivisionError):
            log.warning("The evidence of event %s cannot be read, so it is not counted", pk, exc_info=True)
    known = set(Operator.objects.values_list("pk", flat=True))  # damaged evidence may name anybody
    sums = defaultdict(Sums, {pair: its for pair, its in counts.by_pair().items() if pair[1] in known})
    given = events.filter(what=ContactEvent.What.GIVEN, to_operator__isnull=False).order_by()
    for source, operator_id, number in given.values_list("contact__source", "to_operator").annotate(Count("pk")):
        sums[source, operator_id].by_hand += number
    return sums


def in_period(events: QuerySet[ContactEvent], since: datetime | None, until: datetime | None) -> QuerySet[ContactEvent]:
    events = events.filter(at__gte=since) if since else events
    return events.filter(at__lt=until) if until else events


def last_turns(source_id: int | None, moment: datetime) -> dict[int, bytes]:
    """Source id to the packed candidates of its last decision in turn within the hour before this moment."""
    before = in_period(ContactEvent.objects.filter(strategy=Strategy.SMOOTH), moment - HOUR, moment)
    before = before.filter(contact__source=source_id) if source_id else before
    newest = before.order_by().values("contact__source").annotate(newest=Max("pk")).values("newest")
    found = ContactEvent.objects.filter(pk__in=list(newest.values_list("newest", flat=True)))
    turns = {}
    for source, evidence in found.values_list("contact__source", "evidence"):
        with suppress(ValueError):  # what cannot be read is where nobody knows the turns
            if members := candidate_codec.split_evidence(bytes(evidence or b"")).members:
                turns[source] = members
    return turns


def tally_hours(*, now: datetime | None = None) -> int:
    """Tallies every complete hour that is not tallied yet, each in a transaction of its own. Returns how many.

    After a clock that was ahead is corrected, hours that are not over may count as tallied. They are tallied again,
    beginning with an hour that was certainly over; tallies of future hours are overwritten later. This function must be
    called before such an hour begins, which each sweep does.
    """
    now = now or timezone.now()
    limit = floor_hour(now - GRACE)
    tallied_until = Upkeep.objects.values_list("tallied_until", flat=True).first()
    if tallied_until and tallied_until > now:
        reset_future_tally(now)
    elif tallied_until and tallied_until >= limit:
        return 0
    hours = 0
    while tally_next(limit):
        hours += 1
    return hours


def reset_future_tally(now: datetime) -> None:
    """Resets a future `tallied_until` in one statement, which has no effect if another process has just done it."""
    settled = Tally.objects.filter(hour__lte=now - SETTLED).aggregate(newest=Max("hour"))["newest"]
    for attempt in retry.attempts():
        with attempt:
            Upkeep.objects.filter(tallied_until__gt=now).update(tallied_until=settled)


def forget_tallies() -> None:
    """Deletes all tallies, so that the next round makes them again from the history."""
    for attempt in retry.attempts():
        with attempt:
            Upkeep.objects.get_or_create(pk=1)
            Upkeep.objects.select_for_update().get(pk=1)
            Tally.objects.all().delete()
            Upkeep.objects.update(tallied_until=None)


def tally_next(limit: datetime) -> bool:
    """Tallies the next hour that has decisions, if it ended before `limit`. False when there is none."""
    for attempt in retry.attempts():
        with attempt:
            Upkeep.objects.get_or_create(pk=1)
            upkeep = Upkeep.objects.select_for_update().get(pk=1)
            moment = first_moment(upkeep.tallied_until)
            found = moment is not None and moment < limit
            if found and moment:
                write_hour(floor_hour(moment))
            # Another host, whose clock is a little ahead, may have tallied more.
            done = max(limit, upkeep.tallied_until or limit)
            upkeep.tallied_until = floor_hour(moment) + HOUR if found and moment else done
            upkeep.save(update_fields=["tallied_until"])
    return found


def first_moment(since: datetime | None) -> datetime | None:
    """The moment of the first event to count from `since` on."""
    events = in_period(ContactEvent.objects.all(), since, None).order_by("at", "pk")
    kinds = [events.filter(strategy__isnull=False), events.filter(what=ContactEvent.What.GIVEN)]
    moments = [kind.values_list("at", flat=True).first() for kind in kinds]
    return min((moment for moment in moments if moment), default=None)


def write_hour(hour: datetime) -> None:
    """Tallies one hour; replaces tallies that a clock that was ahead may have left."""
    Tally.objects.filter(hour=hour).delete()
    Tally.objects.bulk_create(tally_rows(hour, count_decisions(None, hour, hour + HOUR)))


def tally_rows(hour: datetime, sums: dict[Pair, Sums]) -> list[Tally]:
    return [
        Tally(
            hour=hour,
            source_id=source_id,
            operator_id=operator_id,
            **{name: getattr(its, name) or (0 if name in ALWAYS else None) for name in FIELDS},
        )
        for (source_id, operator_id), its in sums.items()
    ]


def floor_hour(moment: datetime) -> datetime:
    """The start of the hour in UTC, because time zones have half-hour offsets and daylight saving changes."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime) -> datetime:
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR
