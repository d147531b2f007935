"""Behind one switchboard sit many people: the extension tells them apart."""

import pytest

from leads import lead_editing
from leads.identities import Unreadable
from leads.phones import normalise_phone
from tests import characters

SPELLINGS = [
    "+74951234567;ext=12",
    "tel:+7-495-123-45-67;ext=12",
    "8 495 123-45-67 ext. 12",
    "+7 495 123-45-67 EXT 12",
    "+7 495 123-45-67, extension 12",
    "+74951234567 доб. 12",
    "(495) 123-45-67 (доб. 12)",
    "+7 495 123-45-67 Добавочный: 12",
    "+74951234567 вн. 12",
    "+7 495 123-45-67x12",
    "+7 495 123-45-67 х 12",  # a Cyrillic х
    "+7 495 123-45-67 #12",
    "+74951234567,,12#",
    "＋７４９５１２３４５６７＃１２",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_an_extension_is_the_same_person(spelling):
    assert normalise_phone(spelling, "RU") == "+74951234567;ext=12"


def test_two_extensions_and_the_switchboard_are_three_people():
    assert len({normalise_phone(f"84951234567{extension}", "RU") for extension in ("", " x12", " x13")}) == 3


def test_zeros_of_an_extension_count():
    assert normalise_phone("+74951234567 x012", "RU") == "+74951234567;ext=012"


@pytest.mark.django_db
def test_a_number_is_shown_without_its_extension():
    lead = characters.contact(characters.source(), lead_phone="8 495 123-45-67 x12").lead
    assert (lead.phone, lead.identities.get().value) == ("+74951234567", "+74951234567;ext=12")


@pytest.mark.parametrize(
    "spelling", ["x12", "12 x12", "+74951234567 x", "+74951234567 room 12", "+7 4951x234567", f"84951234567x{'1' * 21}"]
)
def test_letters_elsewhere_are_refused(spelling):
    with pytest.raises(Unreadable):
        normalise_phone(spelling, "RU")


@pytest.mark.parametrize("spelling", ["+74951234567;12", "+74951234567~12", "+74951234567 x12 x13"])
def test_what_may_be_an_extension_or_not_is_refused(spelling):
    with pytest.raises(Unreadable):
        normalise_phone(spelling, "RU")


@pytest.mark.django_db
def test_a_phone_that_is_sent_back_as_it_was_shown_keeps_its_extension():
    lead = characters.contact(characters.source(), lead_phone="8 495 123-45-67 x12").lead
    lead_editing.edit_lead(lead_id=lead.pk, changes={"phone": lead.phone, "name": "Anna"})
    assert lead.identities.get().value == "+74951234567;ext=12"
