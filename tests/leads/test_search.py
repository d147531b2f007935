"""What people type finds leads and contacts, in the spelling in which they happen to have it."""

import pytest

from leads import search
from leads.models import Lead
from routing.models import Contact
from tests import characters

NO_BREAK, NARROW, HYPHEN, EN_DASH, TO_LEFT = "\u00a0", "\u202f", "\u2011", "\u2013", "\u202c"


@pytest.fixture
def bot(db):
    return characters.source(roster={characters.operator("Жанна Ёлкина"): 10})


@pytest.fixture
def ivan(bot):
    return characters.contact(
        bot,
        lead_phone="+74951239988",
        lead_email="Ivan.Petrov@Example.com",
        lead_external_id="Chat-42-xyz",
        lead_name="Иван Петров-Водкин",
        message="Здравствуйте! Сколько стоит доставка\nв Казань?",
    )


@pytest.fixture(autouse=True)
def somebody_else(ivan):
    characters.contact(characters.source(), lead_email="other@site.org", lead_name="Анна", message="Перезвоните")


def leads(term):
    return list(Lead.objects.filter(search.leads_matching(term)).values_list("pk", flat=True))


def contacts(term):
    return list(Contact.objects.filter(search.contacts_matching(term)).values_list("pk", flat=True))


PHONES = [
    "8-495-123-99-88",
    f"8{HYPHEN}495{HYPHEN}123{HYPHEN}99{HYPHEN}88",
    f"+7 (495) 123{EN_DASH}99{EN_DASH}88",
    f"8{NARROW}495{NARROW}123{NARROW}99{NARROW}88",
    f"{TO_LEFT}+7{NO_BREAK}495{NO_BREAK}1239988",
    "８（４９５）１２３９９８８",
    "1239988",
    "123 99-88",
    "8 (495) 123",
    "tel:+7-495-123-99-88",
]
PARTS = ["petrov", "PETROV@EXAM", "ivan.p", "chat-42", "42-XYZ", "иван", "ПЕТРОВ", "вОДКИн", "Петров Иван"]
WORDS = ["доставка", "ДОСТАВКА", "казань", f"доставка{NO_BREAK}в Казань", "стоит", f"дост{TO_LEFT}авка"]


@pytest.mark.parametrize("term", PHONES + PARTS + [f"Петров{HYPHEN}Водкин"])
def test_a_person_is_found_by_a_part_of_what_is_known_of_them(ivan, term):
    assert leads(term) == [ivan.lead_id]
    assert contacts(term) == [ivan.pk]


@pytest.mark.parametrize("term", ["доставка", "ДОСТАВКА", "казань", "стоит", "Казань доставка", f"дост{TO_LEFT}авка"])
def test_a_message_is_found_by_its_words(ivan, term):
    assert leads(term) == [ivan.lead_id]
    assert contacts(term) == [ivan.pk]


def test_a_contact_is_found_by_its_operators_name(ivan):
    assert contacts("ёлкина") == contacts("Жанна Ёлкина") == [ivan.pk]
    assert leads("ёлкина") == []


def test_other_contacts_of_a_person_are_not_found_by_a_message(bot, ivan):
    other = characters.contact(bot, lead_phone="+74951239988", message="Спасибо")
    assert contacts("доставка") == [ivan.pk]
    assert sorted(contacts("Водкин")) == [ivan.pk, other.pk]


@pytest.mark.parametrize("term", ["", " ", "\u200b", "%", "_", "нет такого", "+74951239989", "8-495-123-99-89", "\\"])
def test_what_nobody_has_finds_nobody(ivan, term):
    assert leads(term) == contacts(term) == []


@pytest.mark.parametrize("region", ["KZ", "DE"])
def test_a_domestic_number_is_found_in_the_region_of_its_source(db, region):
    there = characters.source()
    there.phone_region = region
    there.save()
    number = {"KZ": "8 701 123 45 67", "DE": "030 1234567"}[region]
    contact = characters.contact(there, lead_phone=number)
    assert leads(number) == leads(number[:-3]) == [contact.lead_id]
    assert list(Lead.objects.filter(search.leads_with_phone(number)).values_list("pk", flat=True)) == [contact.lead_id]
