"""Any text whatever is an identity or refused, and what was made of it is made of itself."""

from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.identities import Unreadable, read_email, read_external_id
from leads.models import Identity
from leads.phones import read_phone

pytestmark = pytest.mark.once

READERS = [lambda raw: read_phone(raw, "RU"), read_email, lambda raw: read_external_id(raw, 1)]
LONGEST: Any = Identity._meta.get_field("value").max_length

ANYTHING = st.text(st.characters(), max_size=400)  # lone surrogates and NUL, too
LIKE_PHONES = st.text("0123456789+-() .,;#*xхдоб=٣７\u200b", max_size=24)
LIKE_EMAILS = st.builds(
    "{}@{}.{}".format,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("abcÀéßİΣςяיِ١-.xn", max_size=20),
    st.sampled_from(["com", "рф", "xn--p1ai", "gr"]),
)


@pytest.mark.parametrize("read", READERS)
@given(raw=ANYTHING | LIKE_PHONES | LIKE_EMAILS)
def test_any_text_is_an_identity_that_fits_or_refused_in_words(read, raw):
    try:
        claim = read(raw)
    except Unreadable as refusal:
        str(refusal).encode()
    else:
        assert 0 < len(claim.value) <= LONGEST
        assert len(claim.raw) <= LONGEST
        assert read(claim.value).value == claim.value


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("raw", ["", " \u200b", "+7999\x001234567", "a@b.com\ud800", "9" * 300])
def test_what_the_database_cannot_keep_is_refused(read, raw):
    with pytest.raises(Unreadable):
        read(raw)


def read_or_none(raw):
    try:
        return read_phone(raw, "RU").value
    except Unreadable:
        return None


@given(st.integers(0, 10**15))
def test_a_phone_that_travelled_as_a_number_is_the_same_phone(number):
    digits = str(number)
    scientific = f"{digits[0]}.{digits[1:] or '0'}E+{len(digits) - 1:02d}"
    assert read_or_none(f"{digits}.0") == read_or_none(scientific) == read_or_none(digits)


@given(st.decimals(1, 10**14, places=3))
def test_a_fraction_is_no_phone(number):
    assert number == int(number) or read_or_none(str(number)) is None


@given(st.text("0123456789", min_size=8, max_size=15))
def test_digits_of_somebody_abroad_never_become_nobody_at_home(digits):
    value = read_or_none(digits)
    if value and not phonenumbers.is_valid_number(phonenumbers.parse(value)):
        assert value == f"+{digits.removeprefix('00')}" or not exists_abroad(digits)


def exists_abroad(digits):
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
