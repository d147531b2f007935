"""Everything at once: any verb from eight threads, and the invariants when they rest."""

from random import Random

import pytest

from routing import invariants
from tests import characters, random_actions
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

STEPS = 1_250  # of each of eight threads


def test_ten_operators_and_ten_thousand_steps_leave_the_invariants_whole():
    team = [characters.operator(f"Operator {number}", limit=3) for number in range(10)]
    for start in range(0, 10, 2):
        characters.source(roster={team[(start + step) % 10]: 10 + step for step in range(4)})

    def act(seed):
        chance = Random(seed)
        for _ in range(STEPS):
            random_actions.act(chance.choice(random_actions.VERBS), chance)

    together(*[lambda seed=seed: act(seed) for seed in range(8)])
    assert characters.findings() == []
    assert list(invariants.wrong_decisions()) == []
