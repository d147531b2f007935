import pytest

from leads.identities import Unreadable, name_beside_email, normalise_email
from leads.registration import register_contact
from tests import characters


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
            "mailto:anna@example.com",
            "anna@example.com, boris@example.com",
        ],
        *['"anna"@example.com', "anna@[192.0.2.1]", "anna＠example.com", "an\u200bna@example.com"],
    ],
)
def test_what_cannot_be_an_address_is_refused(spelling):
    with pytest.raises(Unreadable):
        normalise_email(spelling)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Ivan <ivan@example.com>", "Ivan"),
        ('"Петров, Иван" <Ivan@Example.com>', "Петров, Иван"),
        ("'Ivan P.' <ivan@example.com> ", "Ivan P."),
        ('"Ivan \\"Vanya\\" P." <ivan@example.com>', 'Ivan "Vanya" P.'),
        ("Ivan P. (sales), LLC <ivan@example.com>", "Ivan P. (sales), LLC"),
        ("<ivan@example.com>", ""),
        (" < ivan@example.com > ", ""),
        ("ivan@example.com", ""),
    ],
)
def test_an_address_may_have_a_name_beside_it(written, name):
    assert (normalise_email(written), name_beside_email(written)) == ("ivan@example.com", name)


@pytest.mark.parametrize(
    "written", ["Ivan <>", "Ivan <ivan>", "<a@example.com> <b@example.com>", "Ivan ivan@example.com"]
)
def test_a_name_without_one_address_is_no_address(written):
    with pytest.raises(Unreadable):
        normalise_email(written)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "name"),
    [(None, "Ivan"), ("", "Ivan"), (" \u200b", "Ivan"), ("null", "Ivan"), ("Иван Петров", "Иван Петров")],
)
def test_the_name_beside_an_address_is_the_clients_unless_another_is_given(given, name):
    source = characters.source()
    contact = register_contact(source_id=source.pk, lead_email="Ivan <ivan@example.com>", lead_name=given)
    assert (contact.lead.name, contact.lead.email) == (name, "ivan@example.com")


@pytest.mark.django_db
def test_a_lead_is_corrected_and_found_with_a_name_beside_the_address(api):
    lead = characters.contact(characters.source()).lead
    changed = api.patch(f"/api/v1/leads/{lead.pk}", {"email": "Ivan <ivan@example.com>"})
    assert (changed.status_code, changed.json()["email"]) == (200, "ivan@example.com")
    found = api.get("/api/v1/leads", {"email": "Somebody <IVAN@example.com>"}).json()["results"]
    assert [one["id"] for one in found] == [lead.pk]
