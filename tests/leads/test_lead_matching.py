import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.errors import Invalid
from leads.models import Identity, Lead, PossibleDuplicate
from leads.phones import FRACTION
from leads.validation import LONGEST
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    return characters.source()


def test_two_spellings_of_a_phone_are_one_lead(bot):
    first = characters.contact(bot, lead_phone="+79991234567")
    second = characters.contact(bot, lead_phone="8 (999) 123-45-67")
    assert first.lead_id == second.lead_id


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spelled=st.data())
def test_any_two_spellings_of_a_phone_meet_in_one_lead(bot, spelled):
    number = "999" + spelled.draw(st.text("0123456789", min_size=7, max_size=7))
    prefixes, dashes = st.sampled_from(["+7", "8", "7", "", "8 (", "+7-", "tel:+7"]), st.text(" -.", max_size=1)
    ways = [
        spelled.draw(prefixes) + "".join(digit + spelled.draw(dashes) for digit in number).rstrip(" -.")
        for _ in range(2)
    ]
    assume(max(map(len, ways)) <= LONGEST["lead_phone"])
    # 8999000000.0 is a number, but not of a phone; +7.9990000000 is one.
    assume(not any(FRACTION.fullmatch(way.removeprefix("tel:").removeprefix("+")) for way in ways))
    assert len({characters.contact(bot, lead_phone=way).lead_id for way in ways}) == 1


def test_a_known_lead_who_adds_an_email_stays_one_lead(bot):
    first = characters.contact(bot, lead_phone="+79991234567")
    characters.contact(bot, lead_phone="+79991234567", lead_email="anna@example.com")
    third = characters.contact(bot, lead_phone=None, lead_email="ANNA@example.com")
    assert first.lead_id == third.lead_id


def test_an_id_in_a_channel_means_somebody_only_there(bot):
    elsewhere = characters.source()
    here = characters.contact(bot, lead_phone=None, lead_external_id="42")
    again = characters.contact(bot, lead_phone=None, lead_external_id="42")
    there = characters.contact(elsewhere, lead_phone=None, lead_external_id="42")
    assert here.lead_id == again.lead_id != there.lead_id


def test_phone_of_one_and_email_of_another_goes_to_the_phone_and_marks_the_pair(bot):
    by_phone = characters.contact(bot, lead_phone="+79991234567").lead_id
    by_email = characters.contact(bot, lead_phone=None, lead_email="anna@example.com").lead_id
    crossed = characters.contact(bot, lead_phone="+79991234567", lead_email="anna@example.com")
    assert crossed.lead_id == by_phone
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == (by_phone, by_email)
    assert Identity.objects.count() == 2


def test_the_id_in_the_channel_is_stronger_than_the_phone(bot):
    characters.contact(bot, lead_phone="+79991234567")
    by_chat = characters.contact(bot, lead_phone=None, lead_external_id="42")
    crossed = characters.contact(bot, lead_phone="+79991234567", lead_external_id="42")
    assert crossed.lead_id == by_chat.lead_id


def test_a_pair_is_marked_once(bot):
    characters.contact(bot, lead_phone="+79991234567")
    characters.contact(bot, lead_phone=None, lead_email="anna@example.com")
    for _ in range(2):
        characters.contact(bot, lead_phone="+79991234567", lead_email="anna@example.com")
    assert PossibleDuplicate.objects.count() == 1


@pytest.mark.parametrize(("given", "kept"), [("Anna", "Anna"), ("  ", "Old"), (None, "Old")])
def test_a_name_replaces_the_old_one_unless_it_is_blank(bot, given, kept):
    characters.contact(bot, lead_phone="+79991234567", lead_name="Old")
    again = characters.contact(bot, lead_phone="+79991234567", lead_name=given)
    assert Lead.objects.get(pk=again.lead_id).name == kept


def test_a_person_who_cannot_be_recognised_leaves_nothing_behind(bot):
    with pytest.raises(Invalid) as refusal:
        characters.contact(bot, lead_phone="12", lead_email="nonsense")
    assert [error.field for error in refusal.value.errors] == ["lead_phone", "lead_email"]
    assert not Lead.objects.exists()
    assert not Contact.objects.exists()
