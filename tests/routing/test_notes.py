"""Notes on contacts: who wrote what, and when they must be gone."""

import pytest

from core.errors import Conflict, Invalid, Unknown
from leads import erasure, export, retention
from routing import lifecycle, notes
from routing.models import LONGEST_NOTE, ContactNote
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact():
    return characters.contact(characters.source(roster={characters.operator(): 10}), lead_name="Ivan")


def test_notes_are_listed_oldest_first_with_their_authors(contact):
    notes.add_note(contact.pk, " Call after six \n", "user boris")
    notes.add_note(contact.pk, "<b>Done</b>", "user anna")
    listed = [(note.text, note.by) for note in notes.list_notes(contact.pk)]
    assert listed == [("Call after six", "user boris"), ("<b>Done</b>", "user anna")]


@pytest.mark.parametrize(
    ("text", "code"), [("", "blank"), (" \u200b\n", "blank"), ("x" * (LONGEST_NOTE + 1), "max_length")]
)
def test_a_note_without_text_or_too_long_is_refused(contact, text, code):
    with pytest.raises(Invalid) as refusal:
        notes.add_note(contact.pk, text, "user boris")
    assert [error.code for error in refusal.value.errors] == [code]
    assert not ContactNote.objects.exists()


def test_what_no_database_stores_is_replaced(contact):
    assert notes.add_note(contact.pk, "a\0b\ud800", "user boris").text == "a\ufffdb\ufffd"


def test_a_note_on_nothing_is_refused(db):
    with pytest.raises(Unknown):
        notes.add_note(1, "Hello", "user boris")


def test_erasing_a_client_deletes_the_notes_and_takes_no_more(contact):
    notes.add_note(contact.pk, "Ivan is in hospital", "user boris")
    erasure.erase_lead(lead_id=contact.lead_id)
    with pytest.raises(Conflict) as refusal:
        notes.add_note(contact.pk, "Ivan is back", "user boris")
    assert refusal.value.code == "erased"
    assert not ContactNote.objects.exists()


def test_notes_of_others_stay(contact):
    other = characters.contact(contact.source)
    notes.add_note(other.pk, "Somebody else", "user boris")
    erasure.erase_lead(lead_id=contact.lead_id)
    assert [note.text for note in notes.list_notes(other.pk)] == ["Somebody else"]


def test_notes_go_with_old_messages(contact):
    lifecycle.resolve_contact(contact_id=contact.pk)
    notes.add_note(contact.pk, "Ivan is in hospital", "user boris")
    resolved_at = lifecycle.find_contact(contact.pk).resolved_at
    assert resolved_at
    assert retention.erase_old_messages(resolved_before=resolved_at) == 0
    assert retention.erase_old_messages(resolved_before=resolved_at.replace(year=resolved_at.year + 1)) == 1
    assert not ContactNote.objects.exists()


def test_notes_are_in_the_export_of_the_person(contact, api):
    notes.add_note(contact.pk, "Call after six", "user boris")
    [contacts] = export.export_lead(lead_id=contact.lead_id).contact_slices
    assert [note.text for note in contacts[0].notes.all()] == ["Call after six"]
    [told] = api.get(f"/api/v1/leads/{contact.lead_id}/export").json()["contacts"]
    assert [(note["text"], note["by"]) for note in told["notes"]] == [("Call after six", "user boris")]
