"""The cast of the tests: operators, sources and contacts, named for the part they play."""

from collections.abc import Callable
from itertools import count
from typing import Any

from django.db import connection

from core import retry
from core.changes.models import Change
from core.changes.recording import SERVICE
from leads import invariants as lead_invariants
from leads import registration
from operators.models import Operator
from routing import invariants
from routing.models import Contact, RosterEntry, Source

ON_POSTGRESQL = connection.vendor == "postgresql"

numbers = count(1)


def operator(name: str = "Anna", *, limit: int = 10, **fields: Any) -> Operator:
    return Operator.objects.create(name=name, max_load=limit, **fields)


def source(name: str | None = None, *, roster: dict[Operator, int] | None = None) -> Source:
    """A source with this roster: operator to weight. Rows and records are those of `source_actions.set_weight`, which
    would also look for contacts that wait, once for each member."""
    made = Source.objects.create(name=name or f"Bot {next(numbers)}")
    weights = {member.pk: weight for member, weight in (roster or {}).items()}
    RosterEntry.objects.bulk_create(
        [RosterEntry(source=made, operator_id=pk, weight=weight) for pk, weight in weights.items()]
    )
    joined = {"what": "roster.changed", "by": SERVICE.by, "via": SERVICE.via, "source_id": made.pk}
    Change.objects.bulk_create(
        [
            Change(**joined, operator_id=pk, before={str(pk): None}, after={str(pk): weight})
            for pk, weight in weights.items()
        ]
    )
    return made


def somebody_new() -> str:
    """The phone of a person whom nobody has seen yet."""
    return f"+7999{next(numbers):07d}"


def contact(source: Source, **fields: Any) -> Contact:
    """A contact as bots make them: through the intake."""
    return registration.register_contact(source_id=source.pk, **{"lead_phone": somebody_new()} | fields)


def load(operator: Operator) -> int:
    return Operator.objects.get(pk=operator.pk).current_load


def findings() -> list[str]:
    """What `check_routing` would complain of."""
    return [*invariants.findings(), *lead_invariants.findings()]


def run_attempts(work: Callable[[int], Any]) -> Any:
    """Does this piece of work, given the number of the attempt, in `retry.attempts()`."""
    for attempt in retry.attempts():
        with attempt:
            result = work(attempt.number)
    return result
