import pytest

from core.errors import Reused
from leads.models import Lead
from routing.models import Contact, ContactEvent
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator()


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


ASKED = {"lead_phone": "+79990000001", "message": "Hello", "idempotency_key": "k1"}


def test_the_same_request_again_is_the_same_contact_and_takes_no_second_place(bot, anna):
    first, again = characters.contact(bot, **ASKED), characters.contact(bot, **ASKED)
    assert (again.pk, first.is_replay, again.is_replay) == (first.pk, False, True)
    assert characters.load(anna) == ContactEvent.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"message": "Bye"}, {"message": None}, {"lead_phone": "+79990000002"}, {"lead_name": "A"}]
)
def test_the_same_key_with_another_body_is_refused_and_changes_nothing(bot, other):
    characters.contact(bot, **ASKED)
    with pytest.raises(Reused):
        characters.contact(bot, **ASKED | other)
    assert (Contact.objects.count(), Lead.objects.count()) == (1, 1)


def test_sources_do_not_share_keys(bot):
    elsewhere = characters.source()
    assert characters.contact(bot, **ASKED).pk != characters.contact(elsewhere, **ASKED).pk


def test_without_a_key_every_request_is_a_contact(bot):
    asked = ASKED | {"idempotency_key": None}
    assert characters.contact(bot, **asked).pk != characters.contact(bot, **asked).pk


def test_a_replay_tells_the_contact_as_it_is_now(bot, anna):
    first = characters.contact(bot, **ASKED)
    Contact.objects.filter(pk=first.pk).update(message="Corrected")
    assert characters.contact(bot, **ASKED).message == "Corrected"


def test_a_field_that_is_null_is_a_field_that_is_left_out(bot):
    first = characters.contact(bot, **ASKED)
    assert characters.contact(bot, **ASKED, lead_email=None, lead_name=None).pk == first.pk
