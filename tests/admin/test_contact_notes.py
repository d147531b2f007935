"""Notes on the page of a contact: written beside it, shown as text, lost by no refusal."""

import pytest
from django.contrib.auth.models import Permission

from leads import erasure
from routing import notes
from routing.models import ContactNote
from tests import characters
from tests.admin import pages


@pytest.fixture
def contact(db):
    return characters.contact(characters.source(roster={characters.operator("Anna"): 10}))


def add(client, contact, text):
    return client.post(f"/admin/routing/contact/{contact.pk}/notes/", {"text": text})


def test_a_note_is_added_and_shown_with_its_author(supervisor, contact):
    answer = add(supervisor, contact, "Call after six")
    assert "refresh" in answer["HX-Trigger"]
    assert "Call after six" not in answer.text  # the field is empty again
    page = supervisor.get(pages.page(contact)).text
    assert "Call after six" in page
    assert "user vera" in page


def test_a_note_is_shown_as_text(supervisor, contact):
    notes.add_note(contact.pk, "<script>alert(1)</script>", "user <b>boris</b>")
    for url in (pages.page(contact), f"/admin/routing/contact/{contact.pk}/live/"):
        text = supervisor.get(url).text
        assert "<script>alert" not in text
        assert "<b>boris" not in text


@pytest.mark.parametrize(("text", "why"), [("  ", "A note needs text."), ("x" * 2_001, "at most 2000 characters")])
def test_a_refused_note_stays_in_its_field(supervisor, contact, text, why):
    answer = add(supervisor, contact, text)
    assert why in answer.text
    assert f">{text}</textarea>" in answer.text
    assert not ContactNote.objects.exists()


def test_nothing_is_written_about_an_erased_client(supervisor, contact):
    erasure.erase_lead(lead_id=contact.lead_id)
    assert add(supervisor, contact, "Hello").status_code == 403
    assert "note-form" not in supervisor.get(pages.page(contact)).text


def test_who_may_only_look_writes_nothing(client, django_user_model, contact):
    olga = django_user_model.objects.create_user("olga", is_staff=True)
    olga.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(olga)
    assert "note-form" not in client.get(pages.page(contact)).text
    assert add(client, contact, "Hello").status_code == 403


def test_an_operator_writes_on_own_contacts_only(client, django_user_model, contact):
    ivan = django_user_model.objects.create_user("ivan", is_staff=True)
    ivan.user_permissions.add(Permission.objects.get(codename="answer_operator"))
    client.force_login(ivan)
    assert add(client, contact, "Hello").status_code == 403
    type(contact.operator).objects.filter(pk=contact.operator_id).update(user=ivan)
    assert add(client, contact, "Hello").status_code == 200
    assert notes.list_notes(contact.pk)[0].by == "user ivan"


def test_a_note_is_not_added_by_a_link(supervisor, contact):
    assert supervisor.get(f"/admin/routing/contact/{contact.pk}/notes/").status_code == 405
