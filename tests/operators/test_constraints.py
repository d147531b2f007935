import pytest
from django.db import IntegrityError

from operators.models import Operator
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("limit", [0, 101])
def test_the_database_refuses_a_limit_beyond_1_to_100(limit):
    with pytest.raises(IntegrityError):
        characters.operator(limit=limit)


def test_the_database_refuses_a_negative_load():
    anna = characters.operator()
    with pytest.raises(IntegrityError):
        Operator.objects.filter(pk=anna.pk).update(current_load=-1)
