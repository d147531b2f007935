"""Settings of operators and sources, and their rosters, as the records of changes have left them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from core.changes.models import Change
from operators.models import Operator, Schedule
from routing.models import OpeningHours, RosterEntry, Source
from routing.operator_actions import RECORDED
from routing.replay.differences import Difference, Kind

TOGETHER = 2_000  # changes read at a time
ARCHIVED, ZONE, WEEKLY = "archived", "time_zone", "weekly"
OF_OPERATOR = {*RECORDED, ARCHIVED, ZONE, WEEKLY}
OF_SOURCE = {field.attname for field in Source._meta.concrete_fields if field.editable and not field.primary_key}
OF_SOURCE |= {ARCHIVED, ZONE, WEEKLY}


class Key(NamedTuple):
    """A setting: of an operator, of a source, or an operator's weight on the roster of a source."""

    source_id: int
    operator_id: int
    name: str

    def __str__(self) -> str:
        if self.name == "weight":
            return f"The weight of operator {self.operator_id} on the roster of source {self.source_id}"
        return f"“{self.name}” of {f'source {self.source_id}' if self.source_id else f'operator {self.operator_id}'}"

    @property
    def ids(self) -> dict[str, int]:
        return {
            name: pk for name, pk in zip(("source", "operator"), (self.source_id, self.operator_id), strict=True) if pk
        }


@dataclass(slots=True)
class Configuration:
    """The values after all records read so far. `complete`: sources whose creation is on record."""

    values: dict[Key, Any] = field(default_factory=dict)
    complete: set[int] = field(default_factory=set)
    changes: int = 0

    def follow(self, change: Change) -> Iterator[Difference]:
        """Applies the record. Yields values that the one before has left otherwise."""
        self.changes += 1
        if change.what == "source.created" and change.source_id:
            self.complete.add(change.source_id)
        before, after = settings_of(change, change.before), settings_of(change, change.after)
        for key, value in before.items():
            if key in self.values and self.values[key] != value:
                text = f"{key}: change {change.pk} begins with {value!r}, but the one before has left "
                text += f"{self.values[key]!r}. Records are missing or were changed."
                yield Difference(Kind.SETTING, text, {**key.ids, "change": change.pk})
        self.values |= after


def settings_of(change: Change, side: Any) -> dict[Key, Any]:
    """What one side of the record says of settings that are rebuilt."""
    what, source_id, operator_id = change.what, change.source_id or 0, change.operator_id or 0
    if what == "roster.changed":
        return {Key(source_id, int(pk), "weight"): weight for pk, weight in side.items()}
    if what.startswith("operator."):
        return {Key(0, operator_id, name): value for name, value in side.items() if name in OF_OPERATOR}
    if what.startswith("source."):
        return {Key(source_id, 0, name): value for name, value in side.items() if name in OF_SOURCE}
    return {}


def read_changes() -> Iterator[Change]:
    """The records in their order."""
    last = 0
    while changes := list(Change.objects.of_configuration().filter(pk__gt=last).order_by("pk")[:TOGETHER]):
        yield from changes
        last = changes[-1].pk


def compare_settings(configuration: Configuration) -> Iterator[Difference]:
    """What is stored otherwise than the last record says."""
    stored = stored_settings()
    for key, value in sorted(configuration.values.items()):
        present = stored.get(key)
        if present != value:
            yield Difference(
                Kind.SETTING, f"{key} is {present!r}, but the last record of it says {value!r}.", dict(key.ids)
            )
    for key in sorted(stored.keys() - configuration.values.keys()):
        if key.name == "weight" and key.source_id in configuration.complete:
            yield Difference(Kind.SETTING, f"{key} is {stored[key]!r}, of which there is no record.", dict(key.ids))


def unrecorded(configuration: Configuration) -> int:
    """How many settings have a value and no record: they were made before changes were recorded."""
    optional = {ZONE, WEEKLY, ARCHIVED}  # recorded when they are first set
    unknown = {key: value for key, value in stored_settings().items() if key not in configuration.values}
    return sum(value is not None and key.name not in optional for key, value in unknown.items())


def stored_settings() -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    schedules = {row.operator_id: row for row in Schedule.objects.all()}
    for operator in Operator.objects.all():
        found |= {Key(0, operator.pk, name): getattr(operator, name) for name in RECORDED}
        found[Key(0, operator.pk, ARCHIVED)] = operator.archived_at is not None
        found |= weekly(Key(0, operator.pk, ""), schedules.get(operator.pk))
    hours = {row.source_id: row for row in OpeningHours.objects.all()}
    for source in Source.objects.all():
        found |= {Key(source.pk, 0, name): getattr(source, name) for name in OF_SOURCE - {ARCHIVED, ZONE, WEEKLY}}
        found[Key(source.pk, 0, ARCHIVED)] = source.archived_at is not None
        found |= weekly(Key(source.pk, 0, ""), hours.get(source.pk))
    for source_id, operator_id, weight in RosterEntry.objects.values_list("source", "operator", "weight"):
        found[Key(source_id, operator_id, "weight")] = weight
    return found


def weekly(key: Key, row: Schedule | OpeningHours | None) -> dict[Key, Any]:
    zone, shifts = (row.time_zone, row.shifts) if row else (None, [])
    return {key._replace(name=ZONE): zone, key._replace(name=WEEKLY): shifts}
