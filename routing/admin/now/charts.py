"""The charts of today by hour: arrivals, resolved contacts, and how long those waited that came out of the queue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Avg, Count, ExpressionWrapper, F, Max, OuterRef, QuerySet, Subquery
from django.db.models.fields import DurationField
from django.db.models.functions import ExtractHour
from django.utils import timezone
from django.utils.translation import gettext as _

from core.admin.live import kept
from routing.history import What
from routing.models import Contact, ContactEvent

FRESH = 60.0  # seconds, for which the numbers of today are kept: they go through all events of today


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of today on the clock of the page. Waits are in minutes; None if nothing came out of the queue."""

    hour: int
    arrivals: int
    resolved: int
    mean_wait: float | None
    longest_wait: float | None

    @property
    def label(self) -> str:
        return f"{self.hour:02}:00"


def hours_of_today(now: datetime) -> list[Hour]:
    """From midnight on the clock of the page until now, in four statements. At most FRESH seconds old."""
    hours: list[Hour] = kept("charts", timezone.localdate(now), lambda: None, lambda: read_hours(now), trusted=FRESH)
    return hours


def read_hours(now: datetime) -> list[Hour]:
    local = timezone.localtime(now)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    events = events_since(midnight)
    arrivals = by_hour(Contact.objects.filter(created_at__gte=midnight), "created_at", number=Count("pk"))
    resolved = by_hour(events.filter(what=What.RESOLVED), "at", number=Count("pk"))
    waits = waits_by_hour(events)
    found: list[Hour] = []
    for hour in range(local.hour + 1):
        [arrived], [done] = arrivals.get(hour, [0]), resolved.get(hour, [0])
        mean, longest = waits.get(hour, [None, None])
        found.append(Hour(hour, arrived, done, minutes(mean), minutes(longest)))
    return found


def minutes(wait: timedelta | None) -> float | None:
    return None if wait is None else round(wait.total_seconds() / 60, 1)


def events_since(midnight: datetime) -> QuerySet[ContactEvent]:
    """Found by id, because no index has all events by moment: those after the last decision of yesterday."""
    decisions = ContactEvent.objects.filter(strategy__isnull=False, at__lt=midnight)
    last = decisions.order_by("-at", "-pk").values_list("pk", flat=True).first() or 0
    return ContactEvent.objects.filter(pk__gt=last, at__gte=midnight)


def waits_by_hour(events: QuerySet[ContactEvent]) -> dict[int, list[Any]]:
    """The mean and the longest time in the queue of contacts that left it for an operator, as timedeltas.

    The event before, of the same contact, is the one that has put it there.
    """
    before = ContactEvent.objects.filter(contact=OuterRef("contact"), pk__lt=OuterRef("pk")).order_by("-pk")
    left = events.filter(from_operator__isnull=True, to_operator__isnull=False)
    waited = ExpressionWrapper(F("at") - Subquery(before.values("at")[:1]), output_field=DurationField())
    left = left.filter(what__in=(What.DEQUEUED, What.GIVEN, What.REASSIGNED)).annotate(waited=waited)
    return by_hour(left, "at", mean=Avg("waited"), longest=Max("waited"))


def by_hour(rows: QuerySet[Any], moment: str, **sums: Aggregate) -> dict[int, list[Any]]:
    """The sums of these rows by the hour of this moment, on the clock of the page."""
    grouped = rows.order_by().annotate(hour=ExtractHour(moment)).values_list("hour").annotate(**sums)
    return {hour: found for hour, *found in grouped}


def chart_data(hours: list[Hour]) -> dict[str, object]:
    """What `now.js` draws: labels and, for each chart, its series by name."""

    def series(label: str, kind: str, value: Callable[[Hour], object]) -> dict[str, object]:
        return {"label": label, "kind": kind, "values": [value(hour) for hour in hours]}

    return {
        "labels": [hour.label for hour in hours],
        "flow": [
            series(_("Arrived"), "first", lambda hour: hour.arrivals),
            series(_("Resolved"), "second", lambda hour: hour.resolved),
        ],
        "waits": [
            series(_("Mean wait, minutes"), "first", lambda hour: hour.mean_wait),
            series(_("Longest wait, minutes"), "third", lambda hour: hour.longest_wait),
        ],
    }
