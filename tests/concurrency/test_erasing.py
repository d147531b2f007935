"""Erasing a client whose open contacts others move at the same moment."""

from contextlib import suppress

import pytest

from core import events
from core.errors import Conflict
from core.retry import Lost
from leads import erasure
from operators.models import Operator
from routing import lifecycle, notes
from routing.models import Contact, ContactNote
from tests import characters
from tests.concurrency.threads import Pause, together, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=2)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=2)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 10})


@pytest.mark.parametrize("run", range(8))
def test_contacts_that_move_meanwhile_are_resolved_all_the_same(bot, anna, boris, run):
    phone = characters.somebody_new()
    contacts = [characters.contact(bot, lead_phone=phone) for _ in range(3)]
    for _ in range(4):
        characters.contact(bot)

    def move(operator):
        for contact in contacts:
            with suppress(Conflict):
                lifecycle.force_contact(contact_id=contact.pk, operator_id=operator.pk)
            with suppress(Conflict):
                lifecycle.return_contact(contact_id=contact.pk)

    together(
        lambda: erasure.erase_lead(lead_id=contacts[0].lead_id),
        lambda: move(anna),
        lambda: move(boris),
        lambda: characters.contact(bot, lead_phone=phone),
    )
    assert not Contact.objects.filter(lead=contacts[0].lead_id, resolved_at__isnull=True).exists()
    assert characters.findings() == []


def test_clients_of_the_same_operators_are_erased_without_a_deadlock(bot, monkeypatch):
    told = list[object]()
    monkeypatch.setattr(events, "listeners", [told.append])
    Operator.objects.update(max_load=100)
    people = [characters.contact(bot).lead for _ in range(12)]
    for lead in [*people, *reversed(people)]:
        characters.contact(bot, lead_phone=lead.phone)
    together(
        *[lambda part=part: [erasure.erase_lead(lead_id=lead.pk) for lead in people[part::3]] for part in range(3)],
        lambda: [characters.contact(bot) for _ in range(10)],
    )
    assert characters.findings() == []
    assert Lost("deadlock") not in told


def test_a_note_that_waits_for_an_erasure_is_refused(bot, monkeypatch):
    contact, erased = characters.contact(bot), Pause()
    monkeypatch.setattr(erasure, "erase_data", erased.stops_once(erasure.erase_data))
    _, refusal = wait_for(
        erased,
        lambda: erasure.erase_lead(lead_id=contact.lead_id),
        lambda: notes.add_note(contact.pk, "Ivan is rude", "user boris"),
    )
    assert isinstance(refusal, Conflict)
    assert not ContactNote.objects.exists()


def test_without_the_lock_the_note_would_stay(bot, monkeypatch):
    """The control for the test above: the note is written while the erasure goes on."""
    contact, erased = characters.contact(bot), Pause()
    monkeypatch.setattr(erasure, "erase_data", erased.stops_once(erasure.erase_data))
    monkeypatch.setattr(notes, "locked_contact", lambda pk: Contact.objects.filter(pk=pk).first())
    together(
        lambda: erasure.erase_lead(lead_id=contact.lead_id),
        lambda: note_and_go_on(contact.pk, erased),
    )
    assert ContactNote.objects.exists()


def note_and_go_on(contact_id: int, pause: Pause) -> None:
    assert pause.reached.wait(60)
    notes.add_note(contact_id, "Ivan is rude", "user boris")
    pause.go_on.set()
