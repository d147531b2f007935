"""What the page *Now* reads, in a fixed number of statements however many sources and operators there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q, Sum

from core.changes.models import Change
from operators.models import Obstacle, Operator
from routing import queue_stats
from routing.models import Contact, ContactEvent, RosterEntry, Source
from routing.queue_stats import QueueLength

LAST_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Contacts that are to be taken by a moment: how many, how many are overdue, and the next moment."""

    running: int = 0
    overdue: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """An operator on the roster of a source."""

    operator: Operator
    weight: int

    @property
    def free_places(self) -> int:
        one = self.operator
        return 0 if one.obstacle else one.max_load - one.current_load

    @property
    def is_full(self) -> bool:
        return self.operator.obstacle == Obstacle.FULL


@dataclass(frozen=True, slots=True)
class Snapshot:
    now: datetime
    sources: list[Source]
    operators: list[Operator]
    rosters: dict[int, list[Member]]  # by source
    queues: dict[int, QueueLength]  # by source, of those with waiting contacts
    waiting_since: dict[int, datetime]  # by contact, of those that are the first of their queues
    arrivals: dict[int, int]  # by source, of the last hour
    clocks_by_source: dict[int, Clocks]
    clocks_by_operator: dict[int, Clocks]


def read_snapshot(now: datetime) -> Snapshot:
    operators = {one.pk: one for one in Operator.objects.current().order_by("name", "pk")}
    queues = {one.source_id: one for one in queue_stats.queue_lengths()}
    since = queue_stats.waiting_since([one.contact_id for one in queues.values()])
    arrived = Contact.objects.filter(created_at__gte=now - LAST_HOUR).order_by()
    return Snapshot(
        now=now,
        sources=list(Source.objects.current().order_by("name", "pk")),
        operators=list(operators.values()),
        rosters=read_rosters(operators),
        queues=queues,
        waiting_since=since,
        arrivals=dict(arrived.values_list("source").annotate(Count("pk"))),
        clocks_by_source=read_clocks("source_id", now),
        clocks_by_operator=read_clocks("operator_id", now),
    )


def read_rosters(operators: dict[int, Operator]) -> dict[int, list[Member]]:
    rosters: dict[int, list[Member]] = {}
    for source_id, operator_id, weight in RosterEntry.objects.current().values_list(
        "source_id", "operator_id", "weight"
    ):
        if operator_id in operators:
            rosters.setdefault(source_id, []).append(Member(operators[operator_id], weight))
    return rosters


def read_clocks(owner: str, now: datetime) -> dict[int, Clocks]:
    """By this column of contacts. There are never many rows: each is with an operator who has not taken it yet."""
    due = Contact.objects.filter(due_at__isnull=False, operator__isnull=False).order_by()
    counted = due.values_list(owner).annotate(
        running=Count("pk"), overdue=Count("pk", filter=Q(due_at__lte=now)), next_at=Min("due_at")
    )
    return {pk: Clocks(running, overdue, next_at) for pk, running, overdue, next_at in counted}


def read_version(now: datetime) -> tuple[object, ...]:
    """Changes with whatever the page shows, but for what ages, which it shows to the minute.

    An event that is committed after one with a higher id may change only the loads; a change of neither shows in the
    next minute.
    """
    loads = Operator.objects.aggregate(
        Sum("current_load"), Max("updated_at"), Count("capped_until"), Count("paced_until")
    )
    return (
        ContactEvent.objects.aggregate(last=Max("pk"))["last"],
        Change.objects.aggregate(last=Max("pk"))["last"],
        Contact.objects.filter(due_at__lte=now).count(),
        Source.objects.aggregate(Count("opens_at"), last=Max("updated_at")),
        loads,
    )


def fullness(operator: Operator) -> float:
    """The load as a share of the limit; more than 1 over the limit."""
    return operator.current_load / operator.max_load
