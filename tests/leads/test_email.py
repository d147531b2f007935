import pytest

from leads.identities import Unreadable, normalise_email


@pytest.mark.parametrize(
    "spelling",
    [
        "anna@example.com",
        " Anna@Example.COM ",
        "ANNA@EXAMPLE.COM",
        "\u2068anna@example.com\u2069",
        "anna@example.com\u200b",
    ],
)
def test_every_spelling_of_an_address_is_the_same_address(spelling):
    assert normalise_email(spelling) == "anna@example.com"


@pytest.mark.parametrize(
    "domain", ["xn--e1afmkfd.xn--p1ai", "Пример.рф", "ПРИМЕР.РФ", "XN--E1AFMKFD.xn--P1AI", "пример。рф"]
)
def test_international_domains_have_one_form(domain):
    assert normalise_email(f"anna@{domain}") == "anna@пример.рф"


def test_accents_in_names_have_one_form():
    assert (
        normalise_email("REN\u00c9@example.com") == normalise_email("rene\u0301@example.com") == "ren\u00e9@example.com"
    )


def test_who_writes_plus_or_dots_is_somebody_else():
    spellings = ["anna@gmail.com", "anna+crm@gmail.com", "an.na@gmail.com", "anna@googlemail.com"]
    assert [normalise_email(spelling) for spelling in spellings] == spellings


def test_the_longest_address_is_254_characters():
    labels = f"@{'b' * 63}.{'c' * 63}.{'d' * 57}.com"
    assert len(normalise_email(f"{'a' * 64}{labels}")) == 254
    with pytest.raises(Unreadable, match="longer than 254"):
        normalise_email(f"{'a' * 64}@d{labels[1:]}")


@pytest.mark.parametrize(
    "spelling",
    [
        *["anna", "anna@", "@example.com", "a b@example.com", "anna@example", "a@b@c.com", "anna@example.com."],
        *[
            "Anna <anna@example.com>",
            "<anna@example.com>",
            "mailto:anna@example.com",
            "anna@example.com, boris@example.com",
        ],
        *['"anna"@example.com', "anna@[192.0.2.1]", "anna＠example.com", "an\u200bna@example.com"],
    ],
)
def test_what_cannot_be_an_address_is_refused(spelling):
    with pytest.raises(Unreadable):
        normalise_email(spelling)
