import pytest

from leads.identities import Unreadable
from leads.phones import normalise_phone
from routing.models import WHOLE_NUMBERS

SPELLINGS = [
    "+79991234567",
    "+7 999 123-45-67",
    "(+7) 999 123-45-67",
    "+7 (8) 999 123-45-67",
    "8 (999) 123-45-67",
    "89991234567",
    "9991234567",
    "79991234567",
    "810 7 999 123-45-67",  # dialled abroad from Russia
    "00 7 999 123-45-67",  # and from most other countries
    "tel:+7-999-123-45-67",
    "Tel:8-999-123-45-67",
    "７９９９１２３４５６７",  # full-width digits
    "＋７（９９９）１２３ー４５ー６７",
    "+٧٩٩٩١٢٣٤٥٦٧",  # Arabic-Indic
    "+७९९९१२३४५६७",  # Devanagari
    "+7\u00a0999\u202f123\u201145\u221267",  # spaces that do not break, dashes of typesetters
    "\u202a+7 999 123-45-67\u202c",  # copied out of a chat
    "+7\u200b999\u2060123\ufeff4567",
    "8 999 123-45-67.",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_number_is_the_same_number(spelling):
    assert normalise_phone(spelling, "RU") == "+79991234567"


@pytest.mark.parametrize(
    ("spelling", "region", "number"),
    [
        ("8 701 123 45 67", "KZ", "+77011234567"),
        ("(495) 123-45-67", "RU", "+74951234567"),  # a landline stays a landline
        ("+7 000 000-00-00", "RU", "+70000000000"),  # merely unassigned
        ("030 123456", "DE", "+4930123456"),
        ("0044 20 7946 0958", "DE", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 (0)20 7946 0958", "RU", "+442079460958"),
        ("044 123 45 67", "UA", "+380441234567"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("06 698 12345", "IT", "+390669812345"),  # Italians dial their zero from everywhere
        ("+39 06 698 12345", "RU", "+390669812345"),
        ("011 15-2345-6789", "AR", "+5491123456789"),  # a mobile, dialled at home with 15, from abroad with 9
        ("+54 9 11 2345-6789", "RU", "+5491123456789"),
        ("+54 11 2345-6789", "RU", "+541123456789"),  # a landline of the same digits is another number
        ("55 1234 5678", "MX", "+525512345678"),
        ("0 15 11 96123-4567", "BR", "+5511961234567"),  # with the carrier's code
        ("+49 00 30 123456", "RU", "+4930123456"),
        ("+5215541637145", "RU", "+525541637145"),  # as WhatsApp sends it; Mexico gave up the 1 in 2019
        ("5215541637145", "RU", "+525541637145"),
        ("+1.4155552671", "RU", "+14155552671"),  # as domain registries write it
    ],
)
def test_numbers_are_read_as_dialled_in_their_region(spelling, region, number):
    assert normalise_phone(spelling, region) == number


@pytest.mark.parametrize(
    ("spelling", "region", "number"),
    [
        ("998901234567", "RU", "+998901234567"),  # too long for Russia
        ("00998901234567", "RU", "+998901234567"),
        ("4791234567", "RU", "+4791234567"),  # nobody's in Russia, somebody's in Norway
        ("8 123 456-78-90", "RU", "+71234567890"),  # dialled with the Russian 8: nobody in Japan
        ("84912345678", "RU", "+74912345678"),  # a number of Ryazan, before one of Vietnam
        ("9991234567", "RU", "+79991234567"),
        ("1111111111", "RU", "+71111111111"),  # nobody's anywhere
        ("4915123456789", "DE", "+4915123456789"),  # not 04915 123456789, though that may be dialled
        ("85251234567", "RU", "+85251234567"),  # Hong Kong: 525 is no town of Russia
        ("852 5123 4567", "RU", "+85251234567"),
        ("8 (525) 123-45-67", "RU", "+75251234567"),  # written as at home, where it is merely unassigned
        ("81234567890", "RU", "+81234567890"),
        ("380 (50) 123-45-67", "RU", "+380501234567"),  # its country code is set apart
        ("00 49 151 23456789", "RU", "+4915123456789"),
        ("380501234567.0", "RU", "+380501234567"),  # as programs write a number
        ("3.80501234567E+11", "RU", "+380501234567"),
        ("+380501234567.0", "RU", "+380501234567"),
        ("+3.80501234567E+11", "RU", "+380501234567"),
        ("+380 50 123 45 67.0", "RU", "+380501234567"),
        ("+380 (50) 123-45-67,00", "RU", "+380501234567"),
        ("8 (999) 123-45-67.0", "RU", "+79991234567"),
        ("+49 30 1234567 .0", "RU", "+49301234567"),
        ("8 495 123 45.00", "RU", "+74951234500"),  # exists only as a whole
        ("8.495.123.45.00", "RU", "+74951234500"),
        ("+1.2025550123", "RU", "+12025550123"),  # as registrars of domains write it
    ],
)
def test_whole_numbers_that_lack_their_plus_are_recognised(spelling, region, number):
    assert normalise_phone(spelling, region) == number


@pytest.mark.parametrize(
    "spelling",
    [
        *["12", "112", "900", "+", "()", "+7999123456789012"],
        *["123-45-67", "497-12-34", "4971234"],  # of which town?
        *["495 123-45-6", "495123456"],  # a digit is missing, and it does not make a German of a Muscovite
        "89991234567 89261234567",
        *["call me", "8-800-FLOWERS", "tel:", "12 tel:+79991234567"],
        "9991234567²",
        # Written as at home, where it is too long: no German, no Vietnamese and no Uzbek.
        *["4951234567/68", "495 123-45-678", "(495) 123-45-67-68", "8 (495) 123-45-678", "8-998-901-23-45-67"],
        *[
            "380501234567.5",
            "+380501234567.5",
            "3.80501E+11",
            "999.1234567",
            "4951234567,12",
        ],  # of no phone
    ],
)
def test_what_cannot_be_a_phone_number_is_refused(spelling):
    with pytest.raises(Unreadable):
        normalise_phone(spelling, "RU")


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        ("79991234567", "+79991234567"),
        ("81234567890", "+81234567890"),  # in Russia 8 123 456-78-90
        ("4791234567", "+4791234567"),
        ("14155552671", "+14155552671"),
        ("7 (999) 123-45-67", "+79991234567"),
        ("0049 30 123456", "+4930123456"),
        ("5215541637145", "+525541637145"),
        ("+7 999 123-45-67", "+79991234567"),
    ],
)
def test_a_source_that_writes_whole_numbers_is_believed(spelling, number):
    assert normalise_phone(spelling, WHOLE_NUMBERS) == number


@pytest.mark.parametrize("spelling", ["89991234567", "9991234567", "0301234567", "12", "79991234567,8"])
def test_what_is_no_whole_number_is_refused_there(spelling):
    with pytest.raises(Unreadable):
        normalise_phone(spelling, WHOLE_NUMBERS)
