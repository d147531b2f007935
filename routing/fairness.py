"""Fairness: compares the contacts that each operator got with the number expected from the decisions' probabilities.

Every decision gives each roster member a probability. Their sum is an operator's expected number, with the effect of
limits and duty included; the number assigned is a sum of independent trials of unequal probability, a Poisson
binomial variable with variance sum p (1 - p). For its normal approximation with continuity correction see Hong,
"On computing the distribution function for the Poisson binomial distribution", Computational Statistics & Data
Analysis 59 (2013).

Complete hours are tallied once, by the sweep or by the first report; later decisions are counted one by one.
"""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt

from django.db import Error, transaction
from django.db.models import F, Max, Sum
from django.utils import timezone

from routing import history
from routing.models import ContactEvent, RosterEntry, Tally, Upkeep
from routing.selection import probabilities

log = logging.getLogger(__name__)

BAND = 1.96  # standard deviations to each side hold 95 % of a normal distribution
CONTINUITY = 0.5  # contacts are whole, the normal distribution is not
HOUR = timedelta(hours=1)
GRACE = timedelta(minutes=10)  # a decision may be committed this long after its timestamp
SETTLED = timedelta(days=1)  # an hour that ended this long ago was complete when it was tallied

Pair = tuple[int, int]  # source id, operator id


@dataclass(slots=True)
class Sums:
    assigned: int = 0
    expected: float = 0.0
    variance: float = 0.0

    def add(self, assigned: int, expected: float, variance: float) -> None:
        self.assigned += assigned
        self.expected += expected
        self.variance += variance


@dataclass(frozen=True, slots=True)
class Share:
    """One operator in one source. `share` is a part of all contacts assigned there, `low` and `high` bound the 95 %
    band around `expected`, in contacts."""

    source_id: int
    operator_id: int
    assigned: int
    expected: float
    share: float
    configured_share: float
    low: float
    high: float
    within_chance: bool


def distribution(
    *, source_id: int | None = None, since: datetime | None = None, until: datetime | None = None
) -> list[Share]:
    """Every operator's share in every source, or in one, by decisions taken from `since` until before `until`.

    Tallies complete hours first, so that it stays fast where no sweep runs.
    """
    try:
        tally_hours()
    except Error:
        log.warning("Not tallied", exc_info=True)  # the result is still correct, only slower
    return shares(source_id, since, until)


def shares(source_id: int | None, since: datetime | None, until: datetime | None) -> list[Share]:
    sums = collect_sums(source_id, since, until)
    weights = configured_weights(source_id)
    total_assigned, total_weight = Counter[int](), Counter[int]()
    for (source, _), its in sums.items():
        total_assigned[source] += its.assigned
    for (source, _), weight in weights.items():
        total_weight[source] += weight
    found = []
    for pair in sorted(sums.keys() | weights.keys()):
        its, source = sums.get(pair, Sums()), pair[0]
        reach = BAND * sqrt(its.variance) + CONTINUITY
        found.append(
            Share(
                *pair,
                assigned=its.assigned,
                expected=its.expected,
                share=its.assigned / total_assigned[source] if total_assigned[source] else 0.0,
                configured_share=weights.get(pair, 0) / total_weight[source] if total_weight[source] else 0.0,
                low=its.expected - reach,
                high=its.expected + reach,
                within_chance=abs(its.assigned - its.expected) <= reach,
            )
        )
    return found


def collect_sums(source_id: int | None, since: datetime | None, until: datetime | None) -> dict[Pair, Sums]:
    """The sums of a period: complete hours from the tallies, partial hours at both ends from the decisions."""
    sums: dict[Pair, Sums] = defaultdict(Sums)
    tallied_until = Upkeep.objects.values_list("tallied_until", flat=True).first()
    first = ceil_hour(since) if since else None
    last = min(floor_hour(until), tallied_until) if until and tallied_until else tallied_until
    if last is None or (first and first >= last):
        count_decisions(sums, source_id, since, until)
        return sums
    if since and first:
        count_decisions(sums, source_id, since, first)
    tallies = Tally.objects.filter(hour__lt=last)
    tallies = tallies.filter(hour__gte=first) if first else tallies
    tallies = tallies.filter(source=source_id) if source_id else tallies
    for source, operator, *its in tallies.values_list("source", "operator").annotate(
        Sum("assigned"), Sum("expected"), Sum("variance")
    ):
        sums[source, operator].add(*its)
    count_decisions(sums, source_id, last, until)
    return sums


def count_decisions(
    sums: dict[Pair, Sums], source_id: int | None, since: datetime | None, until: datetime | None
) -> None:
    """Adds the decisions of a period to `sums`."""
    decisions = ContactEvent.objects.filter(strategy__isnull=False, to_operator__isnull=False)
    decisions = decisions.filter(at__gte=since) if since else decisions
    decisions = decisions.filter(at__lt=until) if until else decisions
    decisions = decisions.filter(contact__source=source_id) if source_id else decisions
    for event in decisions.annotate(source=F("contact__source")).iterator():
        decision = history.stored_decision(event)
        if decision is None:
            continue
        chances = probabilities(decision.candidates, strategy=decision.strategy, preferred=decision.preferred)
        for operator_id, chance in chances.items():
            sums[event.source, operator_id].add(decision.chosen == operator_id, chance, chance * (1 - chance))


def configured_weights(source_id: int | None) -> dict[Pair, int]:
    """The weights of the open sources, or of one."""
    entries = RosterEntry.objects.current()
    entries = entries.filter(source=source_id) if source_id else entries
    return {
        (source, operator): weight for source, operator, weight in entries.values_list("source", "operator", "weight")
    }


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
    Upkeep.objects.filter(tallied_until__gt=now).update(tallied_until=settled)


def tally_next(limit: datetime) -> bool:
    """Tallies the next hour that has decisions, if it ended before `limit`. False when there is none."""
    with transaction.atomic():
        Upkeep.objects.get_or_create(pk=1)
        upkeep = Upkeep.objects.select_for_update().get(pk=1)
        decisions = ContactEvent.objects.filter(strategy__isnull=False)
        if upkeep.tallied_until:
            decisions = decisions.filter(at__gte=upkeep.tallied_until)
        moment = decisions.order_by("at", "pk").values_list("at", flat=True).first()
        found = moment is not None and moment < limit
        if found and moment:
            write_hour(floor_hour(moment))
        # Another host, whose clock is a little ahead, may have tallied more.
        done = max(limit, upkeep.tallied_until or limit)
        upkeep.tallied_until = floor_hour(moment) + HOUR if found and moment else done
        upkeep.save(update_fields=["tallied_until"])
        return found


def write_hour(hour: datetime) -> None:
    """Tallies one hour; replaces tallies that a clock that was ahead may have left."""
    sums: dict[Pair, Sums] = defaultdict(Sums)
    count_decisions(sums, None, hour, hour + HOUR)
    Tally.objects.filter(hour=hour).delete()
    Tally.objects.bulk_create(
        Tally(
            hour=hour,
            source_id=source,
            operator_id=operator,
            assigned=its.assigned,
            expected=its.expected,
            variance=its.variance,
        )
        for (source, operator), its in sums.items()
    )


def floor_hour(moment: datetime) -> datetime:
    """The start of the hour in UTC, because time zones have half-hour offsets and daylight saving changes."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime) -> datetime:
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR
