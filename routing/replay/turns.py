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

from core.changes.models import Change
from operators.caps import has_cap
from routing import history
from routing.models import ContactEvent, RosterEntry, Source, Strategy
from routing.replay.differences import Difference, Kind
from routing.replay.lives import Event
from routing.selection import AHEAD, BEHIND, Decision, progress_after

LIKE = timedelta(minutes=1)  # between a change and the moment that is stored with it, on any host
RETURNS_WITHIN = timedelta(minutes=2)  # from one contact out of the queue to the next, at the slowest pace
NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """The `progress` of an operator in a source: at least so much, and exactly so much if nothing came between."""

    least: float
    exactly: float


@dataclass(slots=True)
class LastDecisions:
    """Of all sources in turn: the last event in which somebody was chosen, and the last one for each operator chosen.

    `lost`: when an operator last gave a place back. `queued`: when one last got a contact out of the queue.
    """

    in_turn: set[int] = field(
        default_factory=lambda: set(Source.objects.filter(strategy=Strategy.SMOOTH).values_list("pk", flat=True))
    )
    of_source: dict[int, int] = field(default_factory=dict)
    of_operator: dict[tuple[int, int], int] = field(default_factory=dict)
    lost: dict[int, datetime] = field(default_factory=dict)
    queued: dict[int, datetime] = field(default_factory=dict)

    def add(self, source_id: int, event: Event) -> None:
        if event.from_operator:
            note_latest(self.lost, event.from_operator, event.at)
        if event.to_operator and event.strategy:
            note_latest(self.queued, event.to_operator, event.at)
            if source_id in self.in_turn:
                self.of_source[source_id] = max(event.pk, self.of_source.get(source_id, 0))
                pair = source_id, event.to_operator
                self.of_operator[pair] = max(event.pk, self.of_operator.get(pair, 0))

    def events_of(self, source_id: int) -> set[int]:
        return {pk for (source, _), pk in self.of_operator.items() if source == source_id}


def note_latest(moments: dict[int, datetime], operator_id: int, at: datetime) -> None:
    known = moments.get(operator_id)
    moments[operator_id] = max(known, at) if known else at


def compare_turns(last: LastDecisions) -> Iterator[Difference]:
    for source_id in sorted(last.of_source):
        yield from compare_source(source_id, last)


def compare_source(source_id: int, last: LastDecisions) -> Iterator[Difference]:
    events = list(ContactEvent.objects.filter(pk__in=last.events_of(source_id)).order_by("pk"))
    decisions = [(event, decision) for event in events if (decision := readable_decision(event))]
    if not decisions:
        return
    entries = RosterEntry.objects.filter(source=source_id).select_related("operator").order_by("operator")
    changed = changed_since(decisions[-1][0].at - LIKE, [entry.operator_id for entry in entries])
    for entry in entries:
        seen = last_seen(entry, decisions)
        if seen is None:
            continue
        is_still = entry.operator_id not in changed and was_free(entry, decisions[-1][1])
        is_still &= not has_moved_since(entry, decisions[-1][0].at, last)
        most = seen.exactly + tolerance(entry.weight) if is_still else inf
        least = seen.exactly - tolerance(entry.weight) if is_still else seen.least - NOTHING
        if not least <= entry.progress <= most:
            expected = f"{'' if is_still else 'at least '}{seen.exactly if is_still else seen.least:g}"
            yield Difference(
                Kind.TURN,
                f"Source {source_id}: operator {entry.operator_id} stands at {entry.progress:g} in the turns, but by "
                f"the last decisions at {expected}.",
                {"source": source_id, "operator": entry.operator_id},
            )


def readable_decision(event: ContactEvent) -> Decision | None:
    """None also for evidence that is damaged, which `verify_decisions` names."""
    try:
        return history.stored_decision(event)
    except history.Unreadable:
        return None


def last_seen(entry: RosterEntry, decisions: Collection[tuple[ContactEvent, Decision]]) -> Seen | None:
    """None if the entry is younger than these decisions, or has got another weight since."""
    found = [
        progress_in(decision, entry.operator_id) for event, decision in decisions if event.at > entry.changed_at + LIKE
    ]
    known = [seen for seen in found if seen]
    if not known:
        return None
    return Seen(max(seen.least for seen in known), max(seen.exactly for seen in known))


def progress_in(decision: Decision, operator_id: int) -> Seen | None:
    for candidate in decision.candidates:
        if candidate.operator_id == operator_id:
            is_moved = decision.chosen == operator_id and not decision.is_sticky
            if not is_moved or decision.strategy != Strategy.SMOOTH:
                return Seen(candidate.progress, candidate.progress)
            least = candidate.progress + 1 / candidate.weight
            return Seen(least, progress_after(decision.candidates, operator_id) or least)
    return None


def changed_since(moment: datetime, operator_ids: Collection[int]) -> set[int | None]:
    """Operators whose duty, limit or the like was changed since then."""
    changes = Change.objects.filter(operator_id__in=operator_ids, at__gte=moment)
    return set(changes.values_list("operator_id", flat=True))


def was_free(entry: RosterEntry, decision: Decision) -> bool:
    """Whether the operator was free at this decision and is free: it has not come back from anything then."""
    obstacles: Mapping[int, str | None] = {one.operator_id: one.obstacle for one in decision.candidates}
    return obstacles.get(entry.operator_id, "unknown") is None and entry.operator.obstacle is None


def has_moved_since(entry: RosterEntry, moment: datetime, last: LastDecisions) -> bool:
    """Whether the operator may have come back since: from its limit, from a cap, or from its pace."""
    lost, queued = last.lost.get(entry.operator_id), last.queued.get(entry.operator_id)
    is_paced = bool(entry.operator.queue_pace or settings.QUEUE_PACE)
    return (
        has_cap(entry.operator)
        or bool(lost and lost >= moment - LIKE)
        or bool(is_paced and queued and queued >= moment - RETURNS_WITHIN)
    )


def tolerance(weight: int) -> float:
    """On PostgreSQL parallel decisions may have been made from a roster a moment older than the one they changed."""
    return (BEHIND + 1 + AHEAD) / weight if connection.vendor == "postgresql" else NOTHING
