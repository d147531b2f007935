"""`erase_lead`: asks before a person goes for good."""

import pytest
from django.core.management import CommandError, call_command

from leads import merging
from leads.models import Identity, Lead
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    bot = characters.source()
    fields = {"lead_phone": "+79990000001", "lead_name": "Anna", "message": "Hi!"}
    return characters.contact(bot, **fields).lead


@pytest.fixture
def answer(monkeypatch):
    """What the person at the keyboard will type."""

    def give(text):
        monkeypatch.setattr("builtins.input", lambda: text)

    return give


def is_erased(lead):
    return Lead.objects.get(pk=lead.pk).erased_at is not None


def test_it_says_who_it_is_and_what_went(anna, answer, capsys):
    answer("yes")
    call_command("erase_lead", anna.pk)
    told = capsys.readouterr().out
    assert "Anna" in told
    assert "phone: +79990000001" in told
    assert "1 identities, 1 messages" in told
    assert "1 contacts, 1 of them open: they will be resolved" in told
    assert "Open contacts resolved: 1." in told
    assert is_erased(anna)
    assert not Identity.objects.exists()
    assert Contact.objects.get().message is None


def test_any_other_answer_erases_nothing(anna, answer):
    answer("y")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_lead", anna.pk)
    assert not is_erased(anna)


def test_without_a_keyboard_nothing_is_erased(anna, monkeypatch):
    def hang_up():
        raise EOFError

    monkeypatch.setattr("builtins.input", hang_up)
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_lead", anna.pk)


def test_a_second_time_changes_nothing(anna, capsys):
    for _ in range(2):
        call_command("erase_lead", anna.pk, "--noinput")
    assert f"Lead {anna.pk} was erased on" in capsys.readouterr().out


def test_merged_leads_are_named(anna, capsys):
    other = characters.contact(characters.source()).lead
    merging.merge_leads(lead_id=anna.pk, other_id=other.pk)
    call_command("erase_lead", anna.pk, "--noinput")
    assert f"lead {other.pk} was merged into it" in capsys.readouterr().out


def test_nobody_has_that_id():
    with pytest.raises(CommandError, match=r"Lead 404 does not exist\."):
        call_command("erase_lead", 404, "--noinput")
