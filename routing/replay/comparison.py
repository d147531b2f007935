"""One replay: reads everything from one snapshot, rebuilds, compares."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from core.db.snapshot import read_snapshot
from operators.models import Operator
from routing.replay.configuration import Configuration, compare_settings, read_changes, unrecorded
from routing.replay.contacts import Queue, follow, read_contacts
from routing.replay.differences import Difference, Found, Kind
from routing.replay.shares import Shares, compare_fairness_tallies, compare_report_tallies
from routing.replay.turns import LastDecisions, compare_turns, sources_in_turn

Progress = Callable[[int], object]


@dataclass(slots=True)
class Replay:
    """What the history says, and where the tables say otherwise. `loads` by operator; `queues` by source; `assigned`:
    how many contacts an operator got, by source and operator. `not_rebuilt`: sentences."""

    contacts: int = 0
    events: int = 0
    changes: int = 0
    loads: dict[int, int] = field(default_factory=dict)
    queues: dict[int, Queue] = field(default_factory=dict)
    assigned: dict[tuple[int, int], int] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    not_rebuilt: list[str] = field(default_factory=list)


def replay(*, progress: Progress = lambda contacts: None) -> Replay:
    """Rebuilds and compares. Writes nothing and takes no locks; `progress` is called with numbers of contacts done."""
    with read_snapshot():
        done = Replay()
        shares, last = Shares(), LastDecisions(sources_in_turn())
        done.found.add(follow_contacts(done, shares, last, progress))
        done.found.add(compare_loads(done.loads))
        done.found.add(follow_changes(done))
        done.found.add(compare_turns(last))
        done.found.add(compare_report_tallies(shares))
        done.found.add(compare_fairness_tallies())
    return done


def follow_contacts(done: Replay, shares: Shares, last: LastDecisions, progress: Progress) -> Iterator[Difference]:
    for row, events in read_contacts():
        life, differences = follow(row, events)
        yield from differences
        done.contacts += 1
        done.events += len(events)
        if life.is_open and life.operator_id:
            done.loads[life.operator_id] = done.loads.get(life.operator_id, 0) + 1
        if events and life.is_waiting:
            done.queues.setdefault(row.source_id, Queue()).add(row.pk, life.since)
        if events:
            shares.add(row.source_id, events)
        for event in events:
            last.add(row.source_id, event)
        progress(1)
    done.assigned = shares.assigned


def compare_loads(rebuilt: Mapping[int, int]) -> Iterator[Difference]:
    for operator_id, name, load in Operator.objects.order_by("pk").values_list("pk", "name", "current_load"):
        expected = rebuilt.get(operator_id, 0)
        if load != expected:
            text = f"Operator {operator_id} ({name}) has a load of {load}, but {expected} open contacts by the history."
            yield Difference(Kind.LOAD, text, {"operator": operator_id})


def follow_changes(done: Replay) -> Iterator[Difference]:
    configuration = Configuration()
    for change in read_changes():
        yield from configuration.follow(change)
    yield from compare_settings(configuration)
    done.changes = configuration.changes
    if number := unrecorded(configuration):
        done.not_rebuilt.append(f"{number} settings have no record of any change, so they are not compared.")
