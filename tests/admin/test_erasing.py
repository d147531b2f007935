"""A person who is erased is nowhere in the back-office any more, its own log included."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User

from leads.models import Identity, Lead, PossibleDuplicate
from routing import lifecycle
from routing.models import Contact
from tests import characters
from tests.admin import pages

LEADS = pages.listing(Lead)


@pytest.fixture
def bot(db):
    return characters.source("Telegram")


@pytest.fixture
def ivan(bot):
    return characters.contact(bot, lead_phone="+79991234567", lead_name="Ivan Petrov", message="Price?").lead


def erase(client, lead):
    return pages.press(client, lead, "erase_this", number=str(lead.pk))


def erased(lead):
    lead.refresh_from_db()
    return lead.erased_at is not None


def logged():
    return "\n".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())


def test_the_dialog_says_what_goes_and_what_stays(supervisor, ivan):
    dialog = supervisor.get(pages.button(ivan, "erase_this")).text
    for part in ("Erased permanently:", "Kept:", f"type its number: {ivan.pk}"):
        assert part in dialog


def test_the_dialog_says_how_many_open_contacts_are_resolved(supervisor, bot, ivan):
    assert "1 open contact. Its place" in supervisor.get(pages.button(ivan, "erase_this")).text
    characters.contact(bot, lead_phone="+79991234567")
    assert "2 open contacts. Their places" in supervisor.get(pages.button(ivan, "erase_this")).text


def test_without_an_open_contact_nothing_is_said_of_resolving(supervisor, ivan):
    lifecycle.resolve_contact(contact_id=Contact.objects.get().pk)
    assert "Resolved:" not in supervisor.get(pages.button(ivan, "erase_this")).text
    assert pages.said(erase(supervisor, ivan)) == ["The lead was erased."]


@pytest.mark.parametrize("typed", ["", "yes", "0"])
def test_a_click_is_no_yes(supervisor, ivan, typed):
    assert "form_submitted" in pages.press(supervisor, ivan, "erase_this", number=typed).text
    assert not erased(ivan)


def test_an_erased_person_is_gone_and_the_contact_stays(supervisor, ivan):
    response = erase(supervisor, ivan)
    assert erased(ivan)
    assert pages.said(response) == ["The lead was erased. 1 open contact was resolved."]
    assert not ivan.identities.exists()
    assert Contact.objects.get(lead=ivan).message is None


def test_an_erased_lead_is_shown_as_such_and_read_only(supervisor, ivan):
    erase(supervisor, ivan)
    page = supervisor.get(pages.page(ivan))
    assert f"Erased lead {ivan.pk}" in page.text
    assert "All personal data was removed" in page.text
    assert not page.context["has_change_permission"]
    assert pages.offered(supervisor, ivan) == []


def test_what_must_be_empty_of_an_erased_lead_is_not_shown(supervisor, ivan):
    assert pages.tables(supervisor, ivan) == [Identity, Contact]
    erase(supervisor, ivan)
    assert pages.tables(supervisor, ivan) == [Contact]


def test_the_list_shows_erased_leads_only_when_asked_for(supervisor, ivan):
    erase(supervisor, ivan)
    assert pages.shown(supervisor, LEADS) == []
    assert pages.shown(supervisor, LEADS + "?leads=erased") == [ivan]


def test_nothing_is_merged_with_who_is_erased(supervisor, bot, ivan):
    other = characters.contact(bot).lead
    erase(supervisor, ivan)
    response = pages.merge(supervisor, ivan, other, survivor=other)
    assert pages.said(response)[-1].endswith("This person's data was erased and cannot be changed.")


def test_the_pages_keep_no_log_of_their_own(supervisor, bot, ivan):
    other = characters.contact(bot, lead_name="Vanya").lead
    pair = PossibleDuplicate.objects.create(lead=ivan, other=other)
    supervisor.post(pages.page(ivan), pages.filled(supervisor.get(pages.page(ivan))) | {"name": "Ivan Sidorov"})
    pages.press(supervisor, pair, "dismiss_this")
    pages.merge(supervisor, ivan, other, survivor=ivan)
    pages.press(supervisor, other, "undo_this")
    erase(supervisor, ivan)
    assert not LogEntry.objects.exists()


def test_erasing_cleans_what_the_log_has_learnt_in_former_times(supervisor, ivan):
    LogEntry.objects.log_actions(User.objects.get().pk, [ivan], CHANGE, single_object=True)
    assert "Ivan" in logged()
    erase(supervisor, ivan)
    assert "Ivan" not in logged()
