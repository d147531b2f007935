import pytest

from leads.models import Identity, Lead, PossibleDuplicate
from tests import characters
from tests.admin import pages

LEADS = "/admin/leads/lead/"


@pytest.fixture
def bot(db):
    return characters.source()


@pytest.fixture
def ivan(bot):
    contact = characters.contact(bot, lead_phone="+79991234567", lead_email="ivan@example.com", lead_name="Иван")
    return contact.lead


@pytest.fixture
def save(supervisor):
    """Sends a lead's page with these fields changed."""

    def save(lead, changes):
        data = pages.filled(supervisor.get(pages.page(lead))) | changes
        return supervisor.post(pages.page(lead), data)

    return save


def identities(lead):
    return set(lead.identities.values_list("kind", "value"))


def test_a_name_is_corrected(save, ivan):
    save(ivan, {"name": "Иван Петров"})
    ivan.refresh_from_db()
    assert ivan.name == "Иван Петров"


def test_the_page_tells_who_gave_the_name(save, supervisor, ivan):
    assert "system (Bot" in supervisor.get(pages.page(ivan)).text
    save(ivan, {"name": "Иван Петров"})
    assert "vera, " in supervisor.get(pages.page(ivan)).text


def test_a_former_name_stays_on_the_page(save, supervisor, ivan):
    assert "Former names" not in supervisor.get(pages.page(ivan)).text
    save(ivan, {"name": "Иван Петров"})
    page = supervisor.get(pages.page(ivan)).text
    assert "Former names" in page
    assert "Иван" in page.replace("Иван Петров", "")


def test_what_shows_nothing_is_removed(save, ivan):
    save(ivan, {"name": "\u200b", "email": "\u3164"})
    ivan.refresh_from_db()
    assert (ivan.name, identities(ivan)) == (None, {("phone", "+79991234567")})


def test_a_phone_is_corrected_in_any_spelling(save, ivan):
    save(ivan, {"phone": "8 999 765-43-21"})
    assert identities(ivan) == {("phone", "+79997654321"), ("email", "ivan@example.com")}


@pytest.mark.parametrize(("field", "value"), [("phone", "12"), ("phone", "call me"), ("email", "ivan@")])
def test_what_cannot_be_read_is_a_form_error(save, ivan, field, value):
    assert field in save(ivan, {field: value}).context["adminform"].form.errors
    assert identities(ivan) == {("phone", "+79991234567"), ("email", "ivan@example.com")}


def test_the_phone_of_somebody_else_is_refused_and_the_pair_marked(save, ivan, bot):
    other = characters.contact(bot, lead_phone="+79990000000").lead
    response = save(ivan, {"phone": "+79990000000"})
    assert pages.said(response)[0].startswith("This phone or e-mail belongs to another lead.")
    assert list(PossibleDuplicate.objects.values_list("lead", "other")) == [(ivan.pk, other.pk)]


def test_the_last_identity_stays(save, bot):
    lead = characters.contact(bot, lead_phone="+79990000000").lead
    assert pages.said(save(lead, {"phone": ""}))[0].startswith("A lead needs a phone")
    assert Identity.objects.filter(lead=lead).exists()


def test_leads_are_neither_added_nor_deleted_here(supervisor, ivan):
    assert supervisor.get(LEADS + "add/").status_code == 403
    assert supervisor.post(f"{LEADS}{ivan.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_page_shows_identities_contacts_and_possible_duplicates(supervisor, ivan, bot):
    other = characters.contact(bot, lead_phone="+79990000000", lead_name="Ваня").lead
    contact = characters.contact(bot, lead_phone="+79991234567", lead_email="vanya@example.com", message="Цена?")
    PossibleDuplicate.objects.create(lead=ivan, other=other)
    page = supervisor.get(pages.page(ivan)).text
    for part in ("vanya@example.com", "Цена?", pages.page(contact), pages.page(other)):
        assert part in page


@pytest.mark.both
@pytest.mark.parametrize("typed", ["8 (999) 123-45-67", "1234567", "IVAN@example.com", "example.com@", "иван"])
def test_leads_are_found_however_they_are_typed(supervisor, ivan, bot, typed):
    characters.contact(bot, lead_phone="+79990000000")
    found = pages.shown(supervisor, f"{LEADS}?q={typed}")
    assert found == ([] if typed == "example.com@" else [ivan])


@pytest.mark.both
def test_leads_are_found_by_their_number(supervisor, ivan):
    assert pages.shown(supervisor, f"{LEADS}?q={ivan.pk}") == [ivan]


def test_a_lead_that_is_not_there_is_no_fault(supervisor):
    assert supervisor.get(pages.page(Lead(pk=404))).status_code == 302
