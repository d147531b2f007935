"""Two supervisors save many rosters at once, in opposite orders."""

import pytest

from core.errors import Overtaken
from routing import source_actions
from routing.models import RosterEntry
from routing.roster_writing import RosterChange
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def test_one_wins_whole_and_the_other_is_told():
    people = [characters.operator(f"Operator {number}") for number in range(6)]
    sources = [characters.source(roster=dict.fromkeys(people, 10)) for _ in range(4)]

    def save(weight, order):
        members = people[::order]
        return lambda: outcome_of(
            lambda: source_actions.change_rosters(
                rosters={
                    source.pk: RosterChange({one.pk: weight for one in members}, (), {one.pk: 10 for one in members})
                    for source in sources[::order]
                }
            )
        )

    outcomes = together(save(20, 1), save(30, -1))
    assert sum(isinstance(outcome, Overtaken) for outcome in outcomes) == 1
    assert set(RosterEntry.objects.values_list("weight", flat=True)) in ({20}, {30})
    assert characters.findings() == []


def outcome_of(job):
    try:
        return job()
    except Overtaken as refusal:
        return refusal
