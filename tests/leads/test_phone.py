import pytest

from leads.identities import Unreadable, normal_phone

SPELLINGS = [
    "+79991234567",
    "+7 999 123-45-67",
    "8 (999) 123-45-67",
    "89991234567",
    "9991234567",
    "79991234567",
    "７９９９１２３４５６７",  # full-width digits
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_number_is_the_same_number(spelling):
    assert normal_phone(spelling, "RU") == "+79991234567"


@pytest.mark.parametrize(
    ("spelling", "region", "number"),
    [
        ("998901234567", "RU", "+998901234567"),  # foreign, without its +
        ("8 701 123 45 67", "KZ", "+77011234567"),
        ("(495) 123-45-67", "RU", "+74951234567"),  # a landline stays a landline
        ("+7 000 000-00-00", "RU", "+70000000000"),  # merely unassigned
    ],
)
def test_numbers_are_read_as_dialled_in_their_region(spelling, region, number):
    assert normal_phone(spelling, region) == number


@pytest.mark.parametrize("spelling", ["12", "+7999123456789012", "call me", "8-800-FLOWERS", "+", "()"])
def test_what_cannot_be_a_phone_number_is_refused(spelling):
    with pytest.raises(Unreadable):
        normal_phone(spelling, "RU")
