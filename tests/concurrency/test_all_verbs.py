"""Everything at once: any verb from eight threads, each commit judged, and the invariants when they rest."""

from datetime import UTC, datetime
from random import Random

import pytest
import time_machine

from routing import clock, invariants, upkeep
from routing.models import Source
from routing.replay import replay
from tests import characters, random_actions
from tests.concurrency.judge import judged as judged  # a fixture
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

STEPS = 120  # of each of eight threads
SATURDAY = datetime(2026, 3, 28, 8, tzinfo=UTC)  # in the following night the clocks of Berlin go forward
SECONDS = 10  # that pass with a step of the first thread, which is the clock too; the others tick at times


@pytest.fixture
def traveller():
    with time_machine.travel(SATURDAY) as traveller:
        yield traveller


def test_ten_operators_and_a_thousand_steps_leave_the_invariants_whole(judged, traveller):
    team = [characters.operator(f"Operator {number}", limit=3) for number in range(10)]
    for start in range(0, 10, 2):
        characters.source(roster={team[(start + step) % 10]: 10 + step for step in range(4)})
    Source.objects.update(accept_within=60)

    def act(seed):
        chance = Random(seed)
        for _ in range(STEPS):
            random_actions.act(chance.choice(random_actions.VERBS), chance)
            if seed == 0:
                traveller.shift(SECONDS)
                clock.tick()

    together(*[lambda seed=seed: act(seed) for seed in range(8)])
    clock.tick()
    assert characters.findings() == []
    assert list(invariants.wrong_decisions()) == []
    upkeep.sweep_and_tally()
    assert list(replay().found.sentences()) == []
