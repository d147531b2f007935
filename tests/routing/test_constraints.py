import pytest
from django.db import IntegrityError

from routing.models import RosterEntry, Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("weight", [0, 101])
def test_the_database_refuses_a_weight_beyond_1_to_100(weight):
    anna, bot = characters.operator(), characters.source()
    with pytest.raises(IntegrityError):
        RosterEntry.objects.create(source=bot, operator=anna, weight=weight)


def test_the_database_refuses_a_second_weight_for_the_same_operator_and_source():
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    with pytest.raises(IntegrityError):
        RosterEntry.objects.create(source=bot, operator=anna, weight=20)


def test_the_database_refuses_two_open_sources_of_one_name():
    characters.source("Bot")
    with pytest.raises(IntegrityError):
        Source.objects.create(name="Bot")
