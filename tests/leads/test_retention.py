"""`prune` erases messages and people that are older than the settings allow, and nobody else."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.utils import timezone

from core import periodic
from leads import erasure, merging, retention
from leads.models import Lead
from routing import lifecycle
from routing.models import Contact, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db

ANNA = "+79990000001"


@pytest.fixture
def bot():
    return characters.source(roster={characters.operator(limit=100): 10})


@pytest.fixture
def contact_of(bot):
    """A contact of so many days ago, resolved at once."""

    def register(days, *, is_resolved=True, **fields):
        contact = characters.contact(bot, **{"message": "I am ill"} | fields)
        if is_resolved:
            lifecycle.resolve_contact(contact_id=contact.pk)
        at = days_ago(days)
        Contact.objects.filter(pk=contact.pk).update(created_at=at, **({"resolved_at": at} if is_resolved else {}))
        Lead.objects.filter(pk=contact.lead_id).update(created_at=at)
        return contact

    return register


def days_ago(days):
    return timezone.now() - timedelta(days=days)


def messages():
    return list(Contact.objects.order_by("pk").values_list("message", flat=True))


def is_erased(contact):
    return Lead.objects.get(pk=contact.lead_id).erased_at is not None


def everything_stored():
    """All values of all rows, as text."""
    return "\n".join(str(row) for model in apps.get_models() for row in model._base_manager.values_list())


def test_by_default_everything_is_kept(contact_of):
    old = contact_of(10_000)
    call_command("prune")
    assert messages() == ["I am ill"]
    assert not is_erased(old)


def test_messages_of_contacts_resolved_long_ago_are_erased(contact_of, settings, capsys):
    settings.RETENTION_MESSAGE_DAYS = 30
    contact_of(31, lead_email="not an address")
    contact_of(29, message="young")
    contact_of(31, message="open", is_resolved=False)
    call_command("prune")
    assert messages() == [None, "young", "open"]
    assert Contact.objects.filter(warnings__isnull=False).count() == 0
    assert "Erased the texts of 1 contacts resolved more than 30 days ago." in capsys.readouterr().out
    assert characters.findings() == []


def test_what_was_resolved_lately_is_kept_however_old_it_is(contact_of, settings):
    settings.RETENTION_MESSAGE_DAYS = 30
    contact = contact_of(31, is_resolved=False)
    lifecycle.resolve_contact(contact_id=contact.pk)
    call_command("prune")
    assert messages() == ["I am ill"]


def test_people_without_contact_are_erased(contact_of, settings, capsys):
    settings.RETENTION_PERSON_DAYS = 365
    old, young = contact_of(366), contact_of(364)
    call_command("prune")
    assert (is_erased(old), is_erased(young)) == (True, False)
    assert messages() == [None, "I am ill"]
    assert "Erased 1 people without contact for 365 days." in capsys.readouterr().out
    assert characters.findings() == []


@pytest.mark.parametrize("later", [{"days": 10}, {"days": 366, "is_resolved": False}])
def test_who_wrote_since_or_waits_for_an_answer_is_kept(contact_of, settings, later):
    settings.RETENTION_PERSON_DAYS = 365
    first = contact_of(400, lead_phone=ANNA)
    contact_of(lead_phone=ANNA, **later)
    Lead.objects.update(created_at=days_ago(400))
    call_command("prune")
    assert not is_erased(first)
    assert messages() == ["I am ill"] * 2


def test_nothing_of_the_person_remains(contact_of, settings):
    settings.RETENTION_PERSON_DAYS = 365
    anna = contact_of(400, lead_phone=ANNA, lead_name="Anna Petrova", idempotency_key="anna-petrova-1")
    contact_of(400, lead_phone=ANNA, lead_email="petrova@example.com", lead_name="Anna Ivanova")
    twin = contact_of(400, lead_phone=None, lead_external_id="petrova-tg", lead_name="Petrova")
    merging.merge_leads(lead_id=anna.lead_id, other_id=twin.lead_id)
    contact_of(400, lead_phone="not a number, petrova", lead_email="other@example.com")
    contact_of(400, lead_phone=ANNA, lead_email="other@example.com")  # a possible duplicate
    LogEntry.objects.create(
        user=User.objects.create(username="boris"),
        content_type=ContentType.objects.get_for_model(Lead),
        object_id=str(anna.lead_id),
        object_repr="Anna Petrova",
        action_flag=CHANGE,
    )
    Lead.objects.update(created_at=days_ago(400))
    assert "petrova" in everything_stored().lower()

    call_command("prune")

    stored = everything_stored().lower()
    assert not [word for word in ("petrova", "ivanova", "i am ill", ANNA, "other@example.com") if word in stored]
    assert Contact.objects.count() == 5
    assert characters.findings() == []


def test_a_dry_run_counts_and_changes_nothing(contact_of, settings, capsys):
    settings.RETENTION_MESSAGE_DAYS, settings.RETENTION_PERSON_DAYS = 30, 365
    for days in (10, 40, 50, 400):
        contact_of(days, idempotency_key=str(days))
    before = everything_stored()
    call_command("prune", "--dry-run")
    assert capsys.readouterr().out == (
        "Would delete 3 idempotency keys older than 30 days, 0 expired sessions, the texts of 3 contacts resolved more "
        "than 30 days ago, 1 people without contact for 365 days. Nothing was changed.\n"
    )
    assert everything_stored() == before


def test_many_are_erased_in_several_transactions(contact_of, monkeypatch):
    monkeypatch.setattr(retention, "TOGETHER", 2)
    for _ in range(5):
        contact_of(40)
    assert retention.erase_old_messages(resolved_before=days_ago(30)) == 5
    assert retention.erase_old_people(since=days_ago(30)) == 5
    assert retention.erase_old_people(since=days_ago(30)) == 0


def test_who_writes_while_others_are_erased_is_kept(bot, contact_of):
    old = contact_of(400, lead_phone=ANNA)

    def write():
        """Called when the people to erase are known already."""
        characters.contact(bot, lead_phone=ANNA, message="Again")
        return True

    assert retention.erase_old_people(since=days_ago(365), go_on=write) == 0
    assert not is_erased(old)
    assert messages() == ["I am ill", "Again"]


def test_who_was_merged_into_somebody_active_meanwhile_is_kept(bot, contact_of):
    contact_of(400)
    active = characters.contact(bot, message="Hello")
    old = Contact.objects.earliest("pk")

    def merge():
        merging.merge_leads(lead_id=active.lead_id, other_id=old.lead_id)
        return True

    assert retention.erase_old_people(since=days_ago(365), go_on=merge) == 0
    assert messages() == ["I am ill", "Hello"]


def test_a_stop_ends_it_between_two_people(contact_of, settings, monkeypatch):
    settings.RETENTION_PERSON_DAYS = 30
    people = [contact_of(40) for _ in range(3)]
    erase = erasure.erase_lead

    def erase_and_stop(**asked):
        periodic.stopped.set()
        return erase(**asked)

    monkeypatch.setattr(erasure, "erase_lead", erase_and_stop)
    call_command("prune")
    assert [is_erased(one) for one in people] == [True, False, False]
    assert not Upkeep.objects.filter(pruned_at__isnull=False).exists()
    periodic.stopped.clear()
