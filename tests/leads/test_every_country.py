"""No valid number is ever rewritten into another: an example of each type of number in each country."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from leads.identities import Unreadable, normalise_phone

pytestmark = pytest.mark.once


def examples():
    """Each as (the number, its region)."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in PhoneNumberType.values():
            number = phonenumbers.example_number_for_type(region, kind)
            if number:
                yield number, region


def e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def read(spelling, region):
    try:
        return normalise_phone(spelling, region)
    except Unreadable:
        return None


@pytest.mark.parametrize("style", [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966])
def test_a_number_with_its_plus_is_itself_everywhere(style):
    for number, region in examples():
        spelling = phonenumbers.format_number(number, style)
        assert {read(spelling, place) for place in ("RU", "US", region)} == {e164(number)}, spelling


def test_a_number_as_written_at_home_is_itself_at_home():
    for number, region in examples():
        spelling = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        assert read(spelling, region) == e164(number), (spelling, region)


def test_a_number_that_lacks_its_plus_is_itself_at_home():
    for number, region in examples():
        spelling = e164(number).removeprefix("+")
        assert read(spelling, region) == e164(number), (spelling, region)


def test_abroad_it_is_itself_or_refused_or_a_number_there():
    for number, _region in examples():
        spelling = e164(number).removeprefix("+")
        value = read(spelling, "RU")
        if value not in {None, e164(number)}:
            dialled_with_the_national_prefix = spelling.startswith("8")
            assert dialled_with_the_national_prefix or phonenumbers.is_valid_number(phonenumbers.parse(value)), spelling
