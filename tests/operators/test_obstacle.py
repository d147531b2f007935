from itertools import product

import pytest
from django.utils import timezone

from operators.models import Operator
from tests import characters

STATES = list(product([True, False], [0, 4, 5, 6], [None, timezone.now()]))


@pytest.mark.django_db
@pytest.mark.parametrize(("is_active", "load", "archived_at"), STATES)
def test_eligible_means_the_same_in_python_and_in_sql(is_active, load, archived_at):
    somebody = characters.operator(limit=5, is_active=is_active, current_load=load, archived_at=archived_at)
    assert Operator.objects.free().filter(pk=somebody.pk).exists() == (somebody.obstacle is None)


def test_off_duty_is_said_before_full():
    assert Operator(is_active=False, current_load=5, max_load=5).obstacle == "inactive"
