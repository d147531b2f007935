"""A number that no id can be finds nothing, on both databases, also for a foreign key."""

import pytest

from core.ids import LARGEST
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

IMPOSSIBLE = [LARGEST + 1, -LARGEST - 2, 10**30]


@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_it_finds_nothing(number):
    characters.contact(characters.source())
    for lookup in ("pk", "source", "source_id", "lead__exact"):
        assert not Contact.objects.filter(**{lookup: number}).exists()


@pytest.mark.parametrize("number", IMPOSSIBLE)
def test_among_others_it_is_left_out(number):
    contact = characters.contact(characters.source())
    assert Contact.objects.filter(pk__in=[number, contact.pk]).get() == contact
