"""However a number is written, it is the same number."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leads.phones import FRACTION, normalise_phone, to_ascii

REGIONS = ("RU", "KZ", "UA", "DE", "GB", "US", "IT", "AR", "MX", "UZ")
SCRIPTS = ("0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९")
SEPARATORS = ("", "", "", " ", "-", ".", "/", "\u00a0", "\u2009", "\u2011", "\u2212", "\u200b", "\u2068", "ー")


@st.composite
def mobiles(draw):
    """A mobile number, and the region it is of."""
    region = draw(st.sampled_from(REGIONS))
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert number
    number.national_number += draw(st.integers(0, 999))
    return number, region


@st.composite
def written(draw, digits):
    """These digits as people write them: in any script, with anything between."""
    script = draw(st.sampled_from(SCRIPTS))
    separators = draw(st.lists(st.sampled_from(SEPARATORS), min_size=len(digits), max_size=len(digits)))
    return "".join(script[int(digit)] + separator for digit, separator in zip(digits, separators, strict=True))


@pytest.mark.once
@given(st.data(), mobiles())
def test_any_two_spellings_of_a_number_meet(data, mobile):
    number, region = mobile
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    before, digits = data.draw(
        st.sampled_from(
            [
                ("+", value[1:]),
                ("＋", value[1:]),
                ("\u202a(+", value[1:]),
                ("tel:+", value[1:]),
                ("", "00" + value[1:]),
                ("", value[1:]),
                ("", phonenumbers.normalize_digits_only(national)),
            ]
        )
    )
    spelling = before + data.draw(written(digits))
    assume(
        not FRACTION.fullmatch(to_ascii(spelling).lstrip("\u202a(").removeprefix("tel:").removeprefix("+"))
    )  # 8999000000.0 is a number, but not of a phone
    assert normalise_phone(spelling, region) == value
