"""Whatever was done in whatever order, the replay of it ends with what is stored."""

from datetime import UTC, datetime
from random import Random

import pytest
import time_machine

from routing import clock, upkeep
from routing.models import ReportTally, Source, Tally
from routing.replay import replay
from tests import characters, random_actions

pytestmark = pytest.mark.django_db

STEPS = 80 if characters.ON_POSTGRESQL else 160
SECONDS = [1, 20, 50, 300, 4_000]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_replay_ends_where_the_tables_are(seed):
    chance = Random(seed)
    with time_machine.travel(datetime(2026, 3, 28, 8, tzinfo=UTC)) as traveller:
        team = [characters.operator(f"Operator {number}", limit=3) for number in range(4)]
        characters.source(roster={member: 10 + number for number, member in enumerate(team)})
        characters.source(roster={team[0]: 10, team[1]: 25})
        Source.objects.update(accept_within=60, strategy="smooth" if seed % 2 else "weighted_random")
        for step in range(STEPS):
            verb = random_actions.register if step % 2 else chance.choice(random_actions.VERBS)
            random_actions.act(verb, chance)
            traveller.shift(chance.choice(SECONDS))
            clock.tick()
        upkeep.sweep_and_tally()
        done = replay()
    assert list(done.found.sentences()) == []
    assert done.events > done.contacts > 20
    assert ReportTally.objects.exists()
    assert Tally.objects.exists()
