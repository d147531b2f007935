"""What a report is asked for, and what its rows are."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import FieldError, Invalid, Unknown
from operators.models import Operator
from routing.models import Source
from routing.report.figures import floor_hour

HOUR = timedelta(hours=1)
LONGEST = timedelta(days=3_660)  # of a period
LONGEST_BY_HOUR = timedelta(days=366)
USUAL = timedelta(days=30)  # up to now, if nothing else is asked for

# The id of an operator or a source, None for nobody; or a day, or the start of an hour
Key = int | date | datetime | None


class GroupBy(StrEnum):
    OPERATOR = "operator"
    SOURCE = "source"
    DAY = "day"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Question:
    """The hours from `since` until before `until`, which are full hours in UTC. Days are those of `zone`."""

    group_by: GroupBy
    since: datetime
    until: datetime
    zone: tzinfo = UTC
    source_id: int | None = None
    operator_id: int | None = None

    @property
    def is_by_time(self) -> bool:
        return self.group_by in (GroupBy.DAY, GroupBy.HOUR)

    @property
    def is_of_sources(self) -> bool:
        return self.group_by == GroupBy.SOURCE or self.source_id is not None

    def includes(self, source_id: int, operator_id: int | None, moment: datetime) -> bool:
        is_in_period = self.since <= moment < self.until
        return is_in_period and self.source_id in (None, source_id) and self.operator_id in (None, operator_id)

    def key_of(self) -> Callable[[int, int | None, datetime], Key]:
        """A function from source, operator and hour to the key of the row that they belong to."""
        zone = self.zone
        by: dict[GroupBy, Callable[[int, int | None, datetime], Key]] = {
            GroupBy.SOURCE: lambda source, operator, hour: source,
            GroupBy.OPERATOR: lambda source, operator, hour: operator,
            GroupBy.HOUR: lambda source, operator, hour: hour,
            GroupBy.DAY: lambda source, operator, hour: hour.astimezone(zone).date(),
        }
        return by[self.group_by]

    def times(self) -> Iterator[Key]:
        """Every day or hour of the period, in their order."""
        key_of, hour = self.key_of(), self.since
        last: Key = None
        while hour < self.until:
            key = key_of(0, None, hour)
            if key != last:
                yield key
            last, hour = key, hour + HOUR


def ask(
    *,
    group_by: GroupBy,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: tzinfo = UTC,
    source_id: int | None = None,
    operator_id: int | None = None,
) -> Question:
    """The question for all full hours that this period touches; by default the last thirty days.

    Raises Invalid if the period is empty or too long, Unknown if the source or operator has never existed.
    """
    until = until or timezone.now()
    since = since or until - USUAL
    longest = LONGEST_BY_HOUR if group_by == GroupBy.HOUR else LONGEST
    errors = []
    if since >= until:
        errors.append(FieldError("to", "empty_period", _("The end must be after the beginning.")))
    elif until - since > longest:
        detail = _("The period is longer than %(days)s days.") % {"days": longest.days}
        errors.append(FieldError("from", "too_long", detail))
    if errors:
        raise Invalid(*errors)
    if source_id is not None and not Source.objects.filter(pk=source_id).exists():
        raise Unknown("source", source_id)
    if operator_id is not None and not Operator.objects.filter(pk=operator_id).exists():
        raise Unknown("operator", operator_id)
    floor = floor_hour(until)
    return Question(
        group_by, floor_hour(since), floor if floor == until else floor + HOUR, zone, source_id, operator_id
    )
