"""Whatever is done in whatever order, the invariants hold."""

from datetime import UTC, datetime
from random import Random

import time_machine
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from routing import clock, invariants
from routing.models import Contact, Source
from tests import characters, random_actions

EXAMPLES = 5 if characters.ON_POSTGRESQL else 12
STEPS, SEEN_AFTER = 25, 5  # looking takes five times as long as a step


class AnySequence(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.steps = -1  # the first look is at the team
        self.example = transaction.atomic()
        self.example.__enter__()
        self.traveller = time_machine.travel(datetime(2026, 3, 28, 8, tzinfo=UTC))
        self.clock = self.traveller.start()

    def teardown(self):
        self.traveller.stop()
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(limits=st.lists(st.integers(1, 3), min_size=1, max_size=4))
    def a_team_of_two_sources(self, limits):
        team = [characters.operator(f"Operator {number}", limit=limit) for number, limit in enumerate(limits)]
        characters.source(roster={member: 10 + number for number, member in enumerate(team)})
        characters.source(roster={team[0]: 10})
        Source.objects.update(accept_within=30)

    @rule(verb=st.sampled_from(random_actions.VERBS), seed=st.integers(0, 2**16))
    def something_happens(self, verb, seed):
        random_actions.act(verb, Random(seed))

    @rule(seconds=st.sampled_from([1, 20, 50, 50, 300, 4_000, 40_000]))
    def time_passes(self, seconds):
        """Of more than a minute it is an outage."""
        self.clock.shift(seconds)
        clock.tick()

    @invariant()
    def everything_holds_now_and_then(self):
        self.steps += 1
        if self.steps % SEEN_AFTER == 0:
            assert characters.findings() == []
            assert list(invariants.wrong_decisions()) == []
            for contact in Contact.objects.all():
                last = contact.history.order_by("pk").reverse()[0]
                assert last.to_operator_id == (None if contact.is_resolved else contact.operator_id)


def test_any_sequence_of_verbs_keeps_the_invariants(db):
    run_state_machine_as_test(
        AnySequence,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=HealthCheck
        ),
    )
