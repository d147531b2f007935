"""One definition of blank, and one reader of numbers in place of text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import text

NOTHING = [
    "",
    " ",
    "\t\n",
    "\u200b",  # zero width space
    "\u200d\u2060\ufeff",
    "\u202a\u202c",
    "\u00ad",
    "\u3164",  # Hangul filler
    "\u115f\u1160\uffa0",
    "\u2800",  # Braille without dots
    "\u180e\u3000\u00a0",
    "\ufe0f",
    "\U000e0020\U000e007f",
    "\x85\x1f\x7f",
]


@pytest.mark.parametrize("nothing", NOTHING)
def test_what_shows_nothing_is_blank(nothing):
    assert text.is_blank(nothing)
    assert text.trim(nothing) == ""


@pytest.mark.parametrize("something", ["0", "я", "·", "\u200bя", "👍", "\ufffd"])
def test_what_shows_something_is_not_blank(something):
    assert not text.is_blank(something)


@pytest.mark.parametrize(
    ("written", "trimmed"),
    [
        (" Анна \n", "Анна"),
        ("\u200bАнна\u2060", "Анна"),
        ("Анна ❤\ufe0f ", "Анна ❤\ufe0f"),  # the last character makes the heart red
        ("👩\u200d👧", "👩\u200d👧"),  # one sign of two
        ("А\u200bнна", "А\u200bнна"),
    ],
)
def test_what_shows_nothing_is_trimmed_at_both_ends(written, trimmed):
    assert text.trim(written) == trimmed


@given(st.text())
def test_trimming_again_changes_nothing(written):
    assert text.trim(text.trim(written)) == text.trim(written)


@given(st.text(st.sampled_from("aя \u200b\u3164\ufe0f\x00"), max_size=6))
def test_the_pattern_of_the_schema_says_the_same(written):
    assert bool(re.search(text.NOT_BLANK, written)) == bool(text.trim(written))


@pytest.mark.parametrize(
    ("number", "digits"), [(123, "123"), (123.0, "123"), (-5.0, "-5"), (-0.0, "0"), (10**30, f"1{0:030}")]
)
def test_a_whole_number_is_its_digits(number, digits):
    assert text.number_as_text(number) == digits


@pytest.mark.parametrize("number", [1.5, 0.1, 2.0**53, 1e300, float("inf"), float("nan")])
def test_a_number_that_is_not_whole_or_not_exact_is_no_text(number):
    with pytest.raises(ValueError, match="not a whole number"):
        text.number_as_text(number)


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_is_the_same_however_it_travels(number):
    assert text.number_as_text(float(number)) == text.number_as_text(number) == str(number)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("123456789.0", "123456789"),
        ("123456789.000", "123456789"),
        ("123456789,0", "123456789"),
        ("3.80501234567E+11", "380501234567"),
        ("3,80501234567e+11", "380501234567"),
        ("1.230E+02", "123"),
        *[(other, other) for other in ("123", "5.10", "12e5", "1e5", "v1.0", "1.0.0", "+1.0", "", "٣.٠")],
    ],
)
def test_a_whole_number_in_decimal_or_scientific_form_is_its_digits(written, read):
    assert text.whole_number(written) == read


@pytest.mark.parametrize("written", ["3.80501E+11", "3E+11", "3,8E+11", "1.5E+00", "1.234E+02"])
def test_scientific_form_that_has_lost_digits_is_no_number(written):
    with pytest.raises(ValueError, match=r"digits are missing|a fraction"):
        text.whole_number(written)


@given(st.integers(0, 10**15))
def test_what_spreadsheets_make_of_an_id_is_the_id(number):
    digits = str(number)
    scientific = f"{digits[0]}.{digits[1:] or '0'}E+{len(digits) - 1:02d}"
    assert text.whole_number(f"{number}.0") == text.whole_number(scientific) == digits
