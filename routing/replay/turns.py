"""The state of sources that assign in turn (`smooth`), rebuilt from the evidence of their last decisions.

The evidence of a decision has the `progress` of everybody on the roster, and what the chosen one got follows from it.
After that it can only grow: with each contact, and when somebody comes back, which the history does not record. So
everybody has at least what was seen last, and who was free all the time has exactly that.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from django.conf import settings
from django.db import connection
from django.db.models import Q

from core.changes.models import Change
from operators.caps import has_cap
from routing import history
from routing.models import ContactEvent, RosterEntry, Source, Strategy
from routing.replay.differences import Difference, Kind
from routing.replay.lives import Event
from routing.selection import AHEAD, BEHIND, Decision, progress_after

LIKE = timedelta(minutes=1)  # between a change and the moment that is stored with it, on any host
RETURNS_WITHIN = timedelta(minutes=2)  # after a contact out of the queue, at the slowest pace
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """The `progress` of an operator in a source: at least so much, and exactly so much if nothing came between."""

    least: float
    exactly: float


@dataclass(slots=True)
class LastDecisions:
    """Of each source in turn: the last event in which each operator was chosen.

    `lost`: when an operator last gave a place back, and in which event. `chosen`: likewise when one was last chosen
    anywhere. The moments alone do not tell the order: the clock may have been set back.
    """

    in_turn: Collection[int]
    events: dict[int, dict[int, int]] = field(default_factory=dict)
    lost: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    chosen: dict[int, tuple[datetime, int]] = field(default_factory=dict)

    def add(self, source_id: int, event: Event) -> None:
        if event.from_operator:
            at, pk = self.lost.get(event.from_operator, (event.at, event.pk))
            self.lost[event.from_operator] = max(at, event.at), max(pk, event.pk)
        if event.to_operator and event.strategy:
            at, pk = self.chosen.get(event.to_operator, (event.at, event.pk))
            self.chosen[event.to_operator] = max(at, event.at), max(pk, event.pk)
            if source_id in self.in_turn:
                events = self.events.setdefault(source_id, {})
                events[event.to_operator] = max(event.pk, events.get(event.to_operator, 0))


def sources_in_turn() -> set[int]:
    return set(Source.objects.filter(strategy=Strategy.SMOOTH).values_list("pk", flat=True))


def compare_turns(last: LastDecisions) -> Iterator[Difference]:
    for source_id in sorted(last.events):
        yield from compare_source(source_id, last)


def compare_source(source_id: int, last: LastDecisions) -> Iterator[Difference]:
    entries = list(RosterEntry.objects.filter(source=source_id).select_related("operator").order_by("operator"))
    transactions = last_roster_changes(source_id)
    begins = {entry.operator_id: (entry.changed_at + LIKE, transactions.get(entry.operator_id, 0)) for entry in entries}
    seen: dict[int, Seen] = {}
    newest: tuple[ContactEvent, Decision] | None = None
    for event in ContactEvent.objects.filter(pk__in=last.events[source_id].values()).order_by("pk"):
        if decision := readable_decision(event):
            note_seen(seen, event, decision, begins)
            newest = event, decision
    if newest is None:
        return
    changed = changed_since(newest[0], begins)
    for entry in entries:
        if entry.operator_id in seen:
            is_still = entry.operator_id not in changed and was_free(entry, newest[1])
            is_still &= not has_moved_since(entry, newest[0], last)
            yield from compare_entry(entry, seen[entry.operator_id], is_still=is_still)


def compare_entry(entry: RosterEntry, seen: Seen, *, is_still: bool) -> Iterator[Difference]:
    """`is_still`: nothing has moved it since."""
    play = tolerance(entry.weight)
    least, most = (seen.exactly - play, seen.exactly + play) if is_still else (seen.least - NOTHING, inf)
    if least <= entry.progress <= most:
        return
    expected = f"at {seen.exactly:g}" if is_still else f"at {seen.least:g} or further"
    yield Difference(
        Kind.TURN,
        f"Source {entry.source_id}: operator {entry.operator_id} stands at {entry.progress:g} in the turns, but by the "
        f"last decisions {expected}.",
        {"source": entry.source_id, "operator": entry.operator_id},
    )


def readable_decision(event: ContactEvent) -> Decision | None:
    """None also for evidence that is damaged, which `verify_decisions` names."""
    try:
        return history.stored_decision(event)
    except history.Unreadable:
        return None


def last_roster_changes(source_id: int) -> dict[int, int]:
    """Operator id to the number of the transaction that has last changed its weight; 0 on SQLite."""
    changes = Change.objects.filter(source_id=source_id, what="roster.changed").order_by("pk")
    rows = changes.values_list("after", "transaction").iterator()
    return {int(operator_id): transaction for after, transaction in rows for operator_id in after}


def note_seen(
    seen: dict[int, Seen], event: ContactEvent, decision: Decision, begins: Mapping[int, tuple[datetime, int]]
) -> None:
    """What this decision says of those who have their entry and weight since before it: by the moment, and by the
    transaction, because the clock may have been set back since."""
    moved = decision.chosen if decision.strategy == Strategy.SMOOTH and not decision.is_sticky else None
    for candidate in decision.candidates:
        pk = candidate.operator_id
        if pk not in begins or event.at <= begins[pk][0] or event.transaction < begins[pk][1]:
            continue
        least = exactly = candidate.progress
        if pk == moved:
            least += 1 / candidate.weight
            exactly = progress_after(decision.candidates, pk) or least
        before = seen.get(pk, Seen(least, exactly))
        seen[pk] = Seen(max(before.least, least), max(before.exactly, exactly))


def changed_since(event: ContactEvent, operator_ids: Collection[int]) -> set[int | None]:
    """Operators whose duty, limit or the like was changed since then."""
    is_later = Q(at__gte=event.at - LIKE) | Q(transaction__gt=event.transaction)
    changes = Change.objects.filter(is_later, operator_id__in=operator_ids)
    return set(changes.values_list("operator_id", flat=True))


def was_free(entry: RosterEntry, decision: Decision) -> bool:
    """Whether the operator was free at this decision and is free: it has not come back from anything then."""
    obstacles: Mapping[int, str | None] = {one.operator_id: one.obstacle for one in decision.candidates}
    return obstacles.get(entry.operator_id, "unknown") is None and entry.operator.obstacle is None


def has_moved_since(entry: RosterEntry, decision: ContactEvent, last: LastDecisions) -> bool:
    """Whether the operator may have come back since: from its limit, from a cap, or from its pace."""
    if has_cap(entry.operator):
        return True
    lost_at, lost_in = last.lost.get(entry.operator_id, (None, 0))
    if lost_at and (lost_at >= decision.at - LIKE or lost_in > decision.pk):
        return True
    chosen_at, chosen_in = last.chosen.get(entry.operator_id, (None, 0))
    is_paced = entry.operator.queue_pace or settings.QUEUE_PACE
    return bool(is_paced and chosen_at and (chosen_at >= decision.at - RETURNS_WITHIN or chosen_in > decision.pk))


def tolerance(weight: int) -> float:
    """On PostgreSQL parallel decisions may have been made from a roster a moment older than the one they changed."""
    return (BEHIND + 1 + AHEAD) / weight if connection.vendor == "postgresql" else NOTHING
