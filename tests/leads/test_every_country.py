"""No valid number is ever rewritten into another: an example of each type of number in each country."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from leads.identities import Unreadable
from leads.phones import normalise_phone
from routing.models import WHOLE_NUMBERS

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


@pytest.mark.parametrize("region", ["RU", "UA", "US", "GB"])
def test_abroad_it_is_itself_or_exists_there_too(region):
    """A few are refused: they lack only a digit of a number there, or are as short as a number of a town."""
    refused = 0
    for number, _region in examples():
        value = read(e164(number).removeprefix("+"), region)
        refused += value is None
        assert value in {None, e164(number)} or phonenumbers.is_valid_number(phonenumbers.parse(value)), value
    assert refused < 40


def test_where_numbers_are_whole_it_is_itself():
    for number, _region in examples():
        assert read(e164(number).removeprefix("+"), WHOLE_NUMBERS) == e164(number)


@pytest.mark.parametrize("surplus", ["/68", "-6", "/1234567"])
def test_with_surplus_digits_a_number_as_written_at_home_is_no_number_abroad(surplus):
    for number, region in examples():
        spelling = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) + surplus
        value = read(spelling, region)
        assert value is None or phonenumbers.parse(value).country_code == number.country_code, (spelling, region)
