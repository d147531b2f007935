"""The sources of tests are made in fewer statements than a person's, and are the same."""

import pytest

from core.changes.models import Change
from routing import source_actions
from routing.models import RosterEntry, Source
from tests import characters

pytestmark = pytest.mark.django_db


def rows(source):
    entries = RosterEntry.objects.filter(source=source).order_by("pk").values()
    changes = Change.objects.filter(source_id=source.pk).order_by("pk").values()
    of_each = {"id", "source_id", "changed_at", "at", "transaction"}
    return [{name: value for name, value in row.items() if name not in of_each} for row in [*entries, *changes]]


def test_a_source_of_tests_is_as_the_verb_leaves_it():
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    made = Source.objects.create(name="By the verb")
    for operator, weight in ((anna, 10), (boris, 30)):
        source_actions.set_weight(source_id=made.pk, operator_id=operator.pk, weight=weight)
    assert rows(characters.source(roster={anna: 10, boris: 30})) == rows(made)
    assert len(rows(made)) == 4
