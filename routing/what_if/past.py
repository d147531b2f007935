"""Reads the past of one source, for `simulation` to replay: from the history of contacts and the records of changes.

Decided by the rule, and so left to the replay, is who gets each contact of this source first. Everything else is taken
as it happened: contacts of other sources, what was given by hand, and where a contact went after its first operator.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from math import inf
from operator import itemgetter
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from core.changes.models import Change
from operators.caps import day_around, hour_around
from operators.models import Operator
from operators.models.schedule import read_shift
from operators.weekly import Weekly
from routing.models import Contact, ContactEvent, OpeningHours, RosterEntry, Source
from routing.what_if.prediction import HOUR, Observed
from routing.what_if.timeline import ALWAYS, Arrival, Holding, Past, Setting

What = ContactEvent.What
UNKNOWN_DURATION = HOUR  # of a contact that nobody has had, where no other contact was finished
TOGETHER = 2_000  # rows read at a time

# The fields of an operator's record, and what a setting of the replay is called.
LIMITS = {"max_load": "limit", "max_per_hour": "per_hour", "max_per_day": "per_day", "queue_pace": "pace"}


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`; the replay counts seconds from `since` on."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        return self.at(self.until)

    def at(self, moment: datetime) -> float:
        return (moment - self.since).total_seconds()


@dataclass(slots=True)
class Read:
    """What is read of contacts. `unknown`: arrivals that nobody has got, whose duration is not known."""

    arrivals: list[Arrival] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    unknown: list[Arrival] = field(default_factory=list)
    assigned: dict[int, int] = field(default_factory=dict)
    waits: list[tuple[float, float]] = field(default_factory=list)


def read_past(
    *,
    source_id: int,
    period: Period,
    operator_ids: Collection[int] = (),
    go_on: Callable[[], object] = lambda: None,
) -> tuple[Past, Observed]:
    """The past of the source, and who really got its contacts. `operator_ids`: others who matter to the question.

    `go_on` is called for each contact; it raises to end this.
    """
    source = Source.objects.get(pk=source_id)
    changes = list(Change.objects.filter(source_id=source_id, at__gte=period.since).order_by("pk"))
    roster = roster_settings(source_id, changes, period)
    involved = {setting.operator_id or 0 for setting in roster} | set(operator_ids)
    of_source = source_settings(source, changes, period)
    is_sticky = any(setting.name == "is_sticky" and setting.value for setting in of_source)
    read = read_contacts(source_id, involved, period, keeps_leads=is_sticky, go_on=go_on)
    lasting = [one.lasts for one in read.arrivals if one.lasts < inf]
    usual = median(lasting) if lasting else UNKNOWN_DURATION
    unknown = [Arrival(one.at, usual, one.leaves_at, one.lead) for one in read.unknown]
    hours = hours_of(period)
    past = Past(
        arrivals=sorted([*read.arrivals, *unknown], key=lambda one: one.at),
        holdings=read.holdings,
        settings=[*of_source, *roster, *operator_settings(involved, period)],
        until=period.seconds,
        hours=[(period.at(begin), hour) for begin, hour, _ in hours],
        days=[
            period.at(day_around(period.since)[0]),
            *(period.at(later[0]) for earlier, later in pairwise(hours) if earlier[2] != later[2]),
        ],
        last_operators=last_operators(source_id, period) if is_sticky else {},
    )
    return past, Observed(read.assigned, read.waits)


def read_contacts(
    source_id: int,
    operator_ids: Collection[int],
    period: Period,
    *,
    keeps_leads: bool,
    go_on: Callable[[], object],
) -> Read:
    """Arrivals of the source, and the places that other contacts took of these operators."""
    read = Read()
    for rows in events_by_contact(source_id, operator_ids, period):
        go_on()
        _, contact_source, lead, created_at, resolved_at, *_ = rows[0]
        is_own, lead = contact_source == source_id, lead if keeps_leads else 0
        holdings = list(holdings_of(rows, period))
        if is_own:
            arrival = Arrival(period.at(created_at), inf, lead=lead)
            if not holdings or holdings[0][1] >= period.seconds:
                leaves = period.at(resolved_at) if resolved_at else inf
                if arrival.at < period.seconds and leaves >= 0:
                    read.unknown.append(Arrival(arrival.at, inf, leaves, lead))
                    read.waits.append((arrival.at, min(leaves, period.seconds)))
            elif holdings[0][1] >= 0 and holdings[0][3]:
                operator_id, since, until, _ = holdings.pop(0)
                read.arrivals.append(Arrival(arrival.at, until - since, lead=lead))
                read.assigned[operator_id] = read.assigned.get(operator_id, 0) + 1
                if rows[0][6] != operator_id:
                    read.waits.append((arrival.at, since))
        read.holdings += [
            Holding(operator_id, since, until, lead)
            for operator_id, since, until, _ in holdings
            if since < period.seconds and until > 0 and operator_id in operator_ids
        ]
    return read


def events_by_contact(source_id: int, operator_ids: Collection[int], period: Period) -> Iterator[list[tuple[Any, ...]]]:
    """The history of each contact that was open in the period, as far as it concerns the source or these operators."""
    contact = "contact__"
    open_then = Q(contact__resolved_at__isnull=True) | Q(contact__resolved_at__gte=period.since)
    concerned = Q(contact__source=source_id) | Q(to_operator__in=operator_ids) | Q(from_operator__in=operator_ids)
    rows = (
        ContactEvent.objects.filter(open_then, concerned, contact__created_at__lt=period.until)
        .order_by("contact_id", "pk")
        .values_list(
            "contact_id",
            *(f"{contact}{name}" for name in ("source_id", "lead_id", "created_at", "resolved_at")),
            "at",
            "to_operator_id",
            "what",
            "strategy",
        )
    )
    for _, group in groupby(rows.iterator(TOGETHER), key=itemgetter(0)):
        yield list(group)


def holdings_of(rows: Iterable[tuple[Any, ...]], period: Period) -> Iterator[tuple[int, float, float, bool]]:
    """Who had the contact, from when until when, and whether the rule gave it: of its first operator only."""
    holder, since, by_rule, is_first = None, 0.0, False, True
    for *_, at, to_operator, what, strategy in rows:
        then = None if what == What.RESOLVED else to_operator
        if then == holder:
            continue
        if holder is not None:
            yield holder, since, period.at(at), by_rule
            is_first = False
        holder, since = then, period.at(at)
        by_rule = is_first and strategy is not None and what in (What.REGISTERED, What.DEQUEUED)
    if holder is not None:
        yield holder, since, inf, by_rule


def roster_settings(source_id: int, changes: Iterable[Change], period: Period) -> list[Setting]:
    """The weights at the begin of the period, found by going back from those of today, and their changes since."""
    weights: dict[int, int | None] = dict(
        RosterEntry.objects.filter(source=source_id).values_list("operator_id", "weight")
    )
    later: list[Setting] = []
    for change in sorted(changes, key=lambda one: -one.pk):
        if change.what == "roster.changed":
            later += [Setting(period.at(change.at), "weight", change.after[pk], int(pk)) for pk in change.after]
            weights |= {int(pk): weight for pk, weight in change.before.items()}
    first = [Setting(ALWAYS, "weight", weight, pk) for pk, weight in sorted(weights.items())]
    return [*first, *reversed(later)]


def source_settings(source: Source, changes: Iterable[Change], period: Period) -> list[Setting]:
    """Strategy and stickiness, and when the source was open."""
    found = []
    for name in ("strategy", "is_sticky"):
        found += values_over_time(name, name, getattr(source, name), changes, period)
    hours = OpeningHours.objects.filter(source=source).first()
    stored = {"time_zone": hours.time_zone if hours else None, "weekly": hours.shifts if hours else []}
    scheduled = [change for change in changes if change.what == "source.scheduled"]
    # Each record has only what differs; with the first one undone, the rest is applied in order.
    pattern = stored
    for change in reversed(scheduled):
        pattern = pattern | change.before
    begins = [(period.since, pattern)]
    for change in scheduled:
        pattern = pattern | change.after
        begins.append((change.at, pattern))
    ends = [at for at, _ in begins[1:]] + [period.until]
    for (begin, pattern), end in zip(begins, ends, strict=True):
        if begin < period.until:
            found += opening_settings(pattern, begin, min(end, period.until), period)
    return found


def opening_settings(pattern: Mapping[str, Any], begin: datetime, end: datetime, period: Period) -> list[Setting]:
    try:
        weekly = Weekly(ZoneInfo(pattern["time_zone"] or "UTC"), [read_shift(shift) for shift in pattern["weekly"]])
    except (ZoneInfoNotFoundError, ValueError):
        weekly = Weekly(ZoneInfo("UTC"), ())
    if not weekly.shifts:
        return [Setting(period.at(begin), "is_open", True)]
    found = [Setting(period.at(begin), "is_open", False)]
    for opens, closes in weekly.intervals(begin, end):
        found += [Setting(period.at(opens), "is_open", True), Setting(period.at(closes), "is_open", False)]
    return found


def operator_settings(operator_ids: Collection[int], period: Period) -> list[Setting]:
    """Duty and limits of these operators. Who was not created yet was off duty."""
    changes: dict[int, list[Change]] = {pk: [] for pk in operator_ids}
    for change in Change.objects.filter(operator_id__in=operator_ids, at__gte=period.since).order_by("pk"):
        if change.operator_id in changes and not change.what.startswith("roster."):
            changes[change.operator_id].append(change)
    found: list[Setting] = []
    for operator in Operator.objects.filter(pk__in=operator_ids):
        its = changes[operator.pk]
        for name, called in LIMITS.items():
            values = values_over_time(name, called, getattr(operator, name), its, period, operator.pk)
            usual = settings.QUEUE_PACE or None if called == "pace" else None
            found += [replace(one, value=one.value or usual) for one in values]
        found += duty_settings(operator, its, period)
    return found


def values_over_time(
    name: str, called: str, now: Any, changes: Iterable[Change], period: Period, operator_id: int | None = None
) -> list[Setting]:
    """The value of a field at the begin of the period, and its changes since."""
    recorded = [change for change in changes if name in change.after]
    first = recorded[0].before.get(name, recorded[0].after[name]) if recorded else now
    later = [Setting(period.at(change.at), called, change.after[name], operator_id) for change in recorded]
    return [Setting(ALWAYS, called, first, operator_id), *later]


def duty_settings(operator: Operator, changes: Iterable[Change], period: Period) -> list[Setting]:
    """On duty is whose switch is on and who is not archived. From the begin of the period on: what waits then is
    served then."""
    is_new = operator.created_at > period.since
    switch = values_over_time("is_active", "duty", operator.is_active, changes, period)
    archived = values_over_time("archived", "archived", operator.archived_at is not None, changes, period)
    begin = [Setting(period.at(operator.created_at), "duty", switch[0].value)] if is_new else []
    active, gone = switch[0].value and not is_new, archived[0].value
    found = [Setting(0.0, "duty", active and not gone, operator.pk)]
    for one in sorted([*begin, *switch[1:], *archived[1:]], key=lambda one: one.at):
        active, gone = (one.value, gone) if one.name == "duty" else (active, one.value)
        found.append(Setting(max(one.at, 0.0), "duty", active and not gone, operator.pk))
    return found


def hours_of(period: Period) -> list[tuple[datetime, int, date]]:
    """The begin of each hour of the service's clock in the period, its hour of the day, and its date."""
    begin, found = hour_around(period.since)[0], []
    while begin < period.until:
        local = begin.astimezone(timezone.get_default_timezone())
        found.append((begin, local.hour, local.date()))
        begin += timedelta(hours=1)
    return found


def last_operators(source_id: int, period: Period) -> dict[int, int]:
    """Before the period: the operator of the last contact of each lead who has come through this source."""
    leads = Contact.objects.filter(source=source_id, created_at__gte=period.since, created_at__lt=period.until)
    earlier = Contact.objects.filter(
        lead__in=leads.values("lead"), created_at__lt=period.since, operator__isnull=False
    ).order_by("pk")
    return dict(earlier.values_list("lead_id", "operator_id").iterator(TOGETHER))
