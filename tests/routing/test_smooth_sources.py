import pytest

from routing import lifecycle
from routing.models import Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=2)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=2)


@pytest.fixture
def bot(anna, boris):
    made = characters.source(roster={anna: 10, boris: 10})
    Source.objects.filter(pk=made.pk).update(strategy="smooth")
    return made


def test_the_last_place_can_be_taken(anna, boris, bot):
    contacts = [characters.contact(bot) for _ in range(5)]
    assert [contact.operator_id for contact in contacts] == [anna.pk, boris.pk] * 2 + [None]


def test_turns_are_kept_over_limits(anna, boris, bot):
    for _ in range(10):
        lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)
    served = bot.contacts.values_list("operator_id", flat=True)
    assert sorted(served) == [anna.pk] * 5 + [boris.pk] * 5
