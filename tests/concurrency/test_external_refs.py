"""One external_ref is one operator, however many ask for it at once."""

import pytest

from core.errors import Conflict
from operators.models import Operator
from routing import operator_actions
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def or_refused(verb):
    try:
        return verb().pk
    except Conflict as refusal:
        return refusal.code


def test_of_several_who_ask_for_one_external_ref_at_once_one_gets_it():
    boris = characters.operator("Boris")
    creations = [
        lambda: or_refused(lambda: operator_actions.create_operator(name="A", max_load=1, external_ref="tg-1"))
    ] * 3
    answers = together(
        *creations,
        lambda: or_refused(
            lambda: operator_actions.change_operator(operator_id=boris.pk, changes={"external_ref": "tg-1"})
        ),
    )
    assert answers.count("external_ref_taken") == 3
    assert Operator.objects.filter(external_ref="tg-1").count() == 1
