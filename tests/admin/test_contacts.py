import pytest

from leads.models import Lead
from routing import lifecycle
from routing.models import Contact
from tests import characters
from tests.admin import pages

CONTACTS = "/admin/routing/contact/"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=1)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


@pytest.fixture
def open_contact(bot):
    return characters.contact(bot, lead_phone="+79991234567", lead_name="Иван Петров", message="Hello")


def test_contacts_are_not_added_here(supervisor):
    assert supervisor.get(CONTACTS + "add/").status_code == 403


def test_contacts_are_not_deleted_here(supervisor, open_contact):
    assert supervisor.post(f"{CONTACTS}{open_contact.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Contact.objects.filter(pk=open_contact.pk).exists()


def test_the_facts_of_a_contact_are_not_edited_here(supervisor, open_contact):
    assert supervisor.post(pages.page(open_contact), {"message": "Goodbye"}).status_code == 403
    open_contact.refresh_from_db()
    assert open_contact.message == "Hello"


def test_resolving_selected_contacts_frees_their_places(supervisor, open_contact, anna):
    pages.run(supervisor, "resolve_selected", open_contact)
    open_contact.refresh_from_db()
    assert open_contact.is_resolved
    assert characters.load(anna) == 0


def test_resolving_gives_the_place_to_who_waits(supervisor, open_contact, bot, anna):
    waiting = characters.contact(bot)
    pages.press(supervisor, open_contact, "resolve_this")
    waiting.refresh_from_db()
    assert waiting.operator == anna


def test_a_resolved_contact_is_reopened(supervisor, open_contact, anna):
    lifecycle.resolve_contact(contact_id=open_contact.pk)
    pages.press(supervisor, open_contact, "reopen_this")
    open_contact.refresh_from_db()
    assert open_contact.operator == anna
    assert not open_contact.is_resolved


def test_the_history_tells_who_resolved_it(supervisor, open_contact):
    pages.press(supervisor, open_contact, "resolve_this")
    assert open_contact.history.get(what="resolved").by == "user vera"


def test_the_button_leads_back_to_the_page(supervisor, open_contact):
    response = pages.press(supervisor, open_contact, "resolve_this")
    assert response["Location"] == pages.page(open_contact)
    assert pages.said(response) == ["1 contact was resolved."]


def test_a_button_on_a_contact_that_is_not_there_is_no_fault(supervisor):
    assert pages.press(supervisor, Contact(pk=404), "resolve_this")["Location"] == CONTACTS


@pytest.mark.both
@pytest.mark.parametrize("status", ["waiting", "assigned", "resolved"])
def test_contacts_are_filtered_by_status(supervisor, open_contact, bot, status):
    lifecycle.resolve_contact(contact_id=open_contact.pk)
    by_status = {"resolved": open_contact, "assigned": characters.contact(bot), "waiting": characters.contact(bot)}
    assert pages.shown(supervisor, f"{CONTACTS}?status={status}") == [by_status[status]]


@pytest.mark.parametrize("url", [f"{CONTACTS}?status=odd", "/admin/leads/lead/?leads=odd"])
def test_an_answer_that_no_filter_offers_leads_to_the_whole_list(supervisor, open_contact, url):
    response = supervisor.get(url)
    assert response.status_code == 302
    changelist = supervisor.get(response["Location"]).context["cl"]
    assert not changelist.has_active_filters


def test_filters_are_to_be_reset_only_where_something_was_filtered(supervisor):
    assert "Reset filters" not in supervisor.get(CONTACTS).text
    assert "Reset filters" not in supervisor.get(f"{CONTACTS}?status=resolved").text
    assert "Reset filters" in supervisor.get(f"{CONTACTS}?source__id__exact=404").text
    assert "Reset filters" in supervisor.get(f"{CONTACTS}?q=nobody").text


def test_contacts_are_filtered_by_source_and_operator(supervisor, open_contact, bot, anna):
    characters.contact(characters.source())
    assert pages.shown(supervisor, f"{CONTACTS}?source__id__exact={bot.pk}") == [open_contact]
    assert pages.shown(supervisor, f"{CONTACTS}?operator__id__exact={anna.pk}") == [open_contact]


@pytest.mark.both
@pytest.mark.parametrize("typed", ["8 (999) 123-45-67", "123-45-67", "+79991234567", "петров", "Иван"])
def test_contacts_are_found_by_what_is_known_of_the_lead(supervisor, open_contact, bot, typed):
    characters.contact(bot)
    assert pages.shown(supervisor, CONTACTS + f"?q={typed.replace('+', '%2B')}") == [open_contact]


@pytest.mark.both
def test_a_contact_is_found_by_its_number(supervisor, open_contact, bot):
    other = characters.contact(bot)
    assert other in pages.shown(supervisor, f"{CONTACTS}?q={other.pk}")


@pytest.mark.both
@pytest.mark.parametrize("typed", ["9" * 40, "%00", "²", "+", "@", "'; --"])
def test_odd_searches_find_nothing(supervisor, open_contact, typed):
    assert supervisor.get(CONTACTS, {"q": typed}).status_code == 200


@pytest.mark.both
def test_the_newest_contacts_come_first(supervisor, open_contact, bot):
    newest = characters.contact(bot)
    assert pages.shown(supervisor, f"{CONTACTS}?status=all") == [newest, open_contact]


def test_a_waiting_contact_says_why_and_where_it_stands(supervisor, open_contact, bot):
    page = supervisor.get(pages.page(characters.contact(bot))).text
    assert "everybody is at the limit" in page
    assert "Place in the queue" in page


def test_a_message_is_shown_as_text(supervisor, bot):
    page = supervisor.get(pages.page(characters.contact(bot, message="<script>alert(1)</script>"))).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_who_is_known_only_in_a_channel_is_named_by_it(supervisor, anna):
    bot = characters.source("Telegram", roster={anna: 10})
    contact = characters.contact(bot, lead_phone=None, lead_external_id="4815")
    for url in (f"{CONTACTS}?status=all", pages.page(contact), pages.listing(Lead)):
        assert "4815 (Telegram)" in supervisor.get(url).text


def test_an_extension_is_told_as_people_say_it(supervisor, bot):
    contact = characters.contact(bot, lead_phone="+74951234567;ext=12")
    supervisor.cookies["django_language"] = "ru"
    for url in (f"{CONTACTS}?status=all", pages.page(contact), pages.page(contact.lead)):
        assert "+74951234567 доб. 12" in supervisor.get(url).text


def test_what_was_set_aside_is_shown_with_the_contact(supervisor, bot, open_contact):
    contact = characters.contact(bot, lead_phone="call <me>", lead_email="ivan@example.com")
    page = supervisor.get(pages.page(contact)).text
    assert "“call &lt;me&gt;” cannot be a phone number." in page
    assert "Warnings" not in supervisor.get(pages.page(open_contact)).text
