"""scripts/failover would find what it looks for. The failovers themselves are started by hand."""

from dataclasses import dataclass
from typing import Any

import failover_checks
import pytest
from failover_bots import BOTS, Answer, Journal, Probe
from failover_world import Course

pytestmark = pytest.mark.once

FAULT, MENDED = 100.0, 110.0


@dataclass
class Primary:
    """What is stored: idempotency keys with ids."""

    rows: list[tuple[str, int]]
    overloaded: list[Any]

    def ask(self, query: str) -> list[Any]:
        return self.overloaded if "operators_operator" in query else self.rows


class World:
    def __init__(self, *rows: tuple[str, int], overloaded: list[Any] | None = None) -> None:
        self.primary = Primary(list(rows), overloaded or [])


def journal(*answers: tuple[str, int | None]) -> Journal:
    return Journal([Answer(0, key, FAULT, FAULT, 201 if pk else 503, pk, "") for key, pk in answers])


def found(world: World, journal: Journal) -> list[str]:
    return list(failover_checks.check_contacts(world, journal))  # type: ignore[arg-type]


def test_what_was_answered_and_is_stored_is_no_finding() -> None:
    assert found(World(("a", 1), ("b", 2)), journal(("a", None), ("a", 1), ("b", 2))) == []


@pytest.mark.parametrize(
    ("world", "answers", "finding"),
    [
        (World(("b", 2)), [("a", 1), ("b", 2)], "answered and lost: a"),
        (World(("a", 3)), [("a", 1)], "answered and lost: a"),
        (World(("a", 1), ("a", 2)), [("a", 1)], "stored twice: a"),
        (World(("a", 1)), [("a", 1), ("a", 2)], "key a was answered with the contacts {1, 2}"),
        (World(), [("a", None)], "sent and never answered: a"),
        (World(overloaded=[("Anna", 5, 4)]), [], "beyond the limit: ('Anna', 5, 4)"),
    ],
)
def test_what_is_wrong_is_found(world: World, answers: list[tuple[str, int | None]], finding: str) -> None:
    assert finding in found(world, journal(*answers))


def readiness(*probes: tuple[float, int]) -> list[str]:
    asked = [Probe("instance 1", begun, begun + 0.1, status, "") for begun, status in probes]
    return list(failover_checks.check_readiness(Course("killed", FAULT, MENDED), Journal(probes=asked)))


def test_readiness_tells_the_truth() -> None:
    assert readiness((99, 200), (101, 200), (105, 503), (109, 0), (111, 503), (112, 200), (126, 200)) == []
    assert [found.partition(":")[0] for found in readiness((105, 200))] == ["ready while nothing could be stored"]
    assert [found.partition(":")[0] for found in readiness((126, 503))] == ["not ready"]


def test_a_bot_that_is_never_answered_again_is_noticed() -> None:
    answers = [Answer(bot, f"{bot}", MENDED, MENDED + bot + 1, 201, bot + 1, "") for bot in range(BOTS)]
    course = Course("killed", FAULT, MENDED)
    assert failover_checks.seconds_until_all(course, Journal(answers)) == BOTS
    assert failover_checks.seconds_until_all(course, Journal(answers[:-1])) == float("inf")
