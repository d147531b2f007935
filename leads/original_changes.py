"""Records what was moved in from the original service as changes of configuration: their history begins here."""

from collections import defaultdict
from collections.abc import Iterable

from core.changes.models import Via
from core.changes.recording import Author
from operators.models import Operator
from routing import operator_actions, roster_writing, source_actions
from routing.history import ORIGINAL
from routing.models import RosterEntry, Source

AUTHOR = Author(ORIGINAL, Via.COMMAND)


def record_operators(operators: Iterable[Operator]) -> None:
    for operator in operators:
        operator_actions.record_creation(operator, AUTHOR)


def record_sources(sources: Iterable[Source]) -> None:
    for source in sources:
        source_actions.record_creation(source, AUTHOR)


def record_weights(entries: Iterable[RosterEntry]) -> None:
    """One record for each source."""
    rosters: defaultdict[int, dict[int, int | None]] = defaultdict(dict)
    for entry in entries:
        rosters[entry.source_id][entry.operator_id] = entry.weight
    for source_id, weights in rosters.items():
        roster_writing.record_roster(source_id, dict.fromkeys(weights), weights, AUTHOR)
