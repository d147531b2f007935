import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType

from core.errors import Conflict, Unknown
from leads import contact_editing, erasure, export, merging
from leads.models import Identity, Lead, PossibleDuplicate
from operators.models import Operator
from routing import lifecycle
from routing.models import Contact, ContactEvent
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    return characters.source(roster={characters.operator(): 10})


@pytest.fixture
def anna(bot):
    return characters.contact(
        bot, lead_phone="+79990000001", lead_name="Anna", message="I am ill", idempotency_key="anna-1"
    ).lead


def test_identities_name_messages_and_keys_are_gone(anna):
    erasure.erase_lead(lead_id=anna.pk)
    contact = Contact.objects.get()
    assert (contact.message, contact.idempotency_key, contact.idempotency_fingerprint) == (None, None, None)
    assert not Identity.objects.exists()
    assert Lead.objects.get().name is None


def test_counts_and_decisions_stay(anna):
    erasure.erase_lead(lead_id=anna.pk)
    assert ContactEvent.objects.filter(evidence__isnull=False).count() == 1
    assert Contact.objects.get().operator == Operator.objects.get()
    assert characters.findings() == []


def test_open_contacts_are_resolved_with_the_erasure(bot, anna):
    characters.contact(bot, lead_phone="+79990000001")
    erased = erasure.erase_lead(lead_id=anna.pk, by="user boris")
    assert erased.resolved_with_erasure == 2
    assert not Contact.objects.filter(resolved_at__isnull=True).exists()
    assert set(ContactEvent.objects.filter(what="resolved").values_list("by", flat=True)) == {"user boris"}
    assert Operator.objects.get().current_load == 0
    assert characters.findings() == []


def test_their_places_go_to_those_who_wait():
    bot = characters.source(roster={characters.operator(limit=1): 10})
    anna, waiting = characters.contact(bot).lead, characters.contact(bot)
    erasure.erase_lead(lead_id=anna.pk)
    assert Contact.objects.get(pk=waiting.pk).status == "assigned"
    assert characters.findings() == []


def test_a_waiting_contact_is_resolved_too():
    waiting = characters.contact(characters.source())
    assert erasure.erase_lead(lead_id=waiting.lead_id).resolved_with_erasure == 1
    assert Contact.objects.get().status == "resolved"
    assert characters.findings() == []


def test_contacts_with_several_operators_free_a_place_of_each():
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    first = characters.contact(characters.source(roster={boris: 10}), lead_phone="+79990000001")
    characters.contact(characters.source(roster={anna: 10}), lead_phone="+79990000001")
    erasure.erase_lead(lead_id=first.lead_id)
    assert (characters.load(anna), characters.load(boris)) == (0, 0)


def test_what_was_resolved_before_is_not_resolved_again(anna):
    lifecycle.resolve_contact(contact_id=Contact.objects.get().pk)
    assert erasure.erase_lead(lead_id=anna.pk).resolved_with_erasure == 0
    assert ContactEvent.objects.filter(what="resolved").count() == 1


def test_a_refused_erasure_resolves_nothing(anna):
    erasure.erase_lead(lead_id=anna.pk, only_if=lambda lead: False)
    assert Contact.objects.get().status == "assigned"


def test_who_writes_again_is_somebody_new(bot, anna):
    erasure.erase_lead(lead_id=anna.pk)
    assert characters.contact(bot, lead_phone="+79990000001").lead_id != anna.pk


def test_everybody_merged_with_the_lead_goes_too(bot, anna):
    ann = characters.contact(bot, lead_phone=None, lead_email="ann@example.com", lead_name="Ann").lead
    merging.merge_leads(lead_id=anna.pk, other_id=ann.pk)
    erasure.erase_lead(lead_id=ann.pk)
    assert set(Lead.objects.values_list("name", flat=True)) == {None}
    with pytest.raises(Conflict) as refusal:
        merging.unmerge_lead(lead_id=ann.pk)
    assert refusal.value.code == "erased"


def test_nobody_is_merged_with_somebody_erased(bot, anna):
    erasure.erase_lead(lead_id=anna.pk)
    with pytest.raises(Conflict) as refusal:
        merging.merge_leads(lead_id=characters.contact(bot).lead_id, other_id=anna.pk)
    assert refusal.value.code == "erased"


def test_the_back_offices_log_forgets_the_name(anna):
    LogEntry.objects.create(
        user=User.objects.create(username="boris"),
        content_type=ContentType.objects.get_for_model(Lead),
        object_id=str(anna.pk),
        object_repr="Anna",
        action_flag=CHANGE,
    )
    erasure.erase_lead(lead_id=anna.pk)
    assert "Anna" not in LogEntry.objects.get().object_repr


def test_nobody_suspects_the_erased_of_being_somebody_else(bot, anna):
    characters.contact(bot, lead_phone=None, lead_email="ann@example.com")
    characters.contact(bot, lead_phone="+79990000001", lead_email="ann@example.com")
    erasure.erase_lead(lead_id=anna.pk)
    assert not PossibleDuplicate.objects.exists()


def test_erasing_twice_changes_nothing(anna):
    first = erasure.erase_lead(lead_id=anna.pk)
    assert erasure.erase_lead(lead_id=anna.pk).erased_at == first.erased_at


def test_nobody_unknown_is_erased(db):
    with pytest.raises(Unknown):
        erasure.erase_lead(lead_id=1)


def test_an_export_tells_everything(bot, anna):
    characters.contact(bot, lead_phone="8 999 000 00 01", lead_email="anna@example.com", message="Again")
    dossier = export.export_lead(lead_id=anna.pk)
    assert [identity.raw for identity in dossier.identities] == ["+79990000001", "anna@example.com"]
    [contacts] = dossier.contact_slices
    assert [contact.message for contact in contacts] == ["I am ill", "Again"]
    assert [event.what for event in contacts[0].history.all()] == ["registered"]


def test_an_export_after_erasing_tells_nothing(anna):
    erasure.erase_lead(lead_id=anna.pk)
    dossier = export.export_lead(lead_id=anna.pk)
    [contacts] = dossier.contact_slices
    assert (dossier.identities, [contact.message for contact in contacts]) == ([], [None])


def test_nobody_writes_about_somebody_erased(anna):
    erasure.erase_lead(lead_id=anna.pk)
    with pytest.raises(Conflict) as refusal:
        contact_editing.edit_contact(contact_id=Contact.objects.get().pk, changes={"message": "Anna, +79990000001"})
    assert refusal.value.code == "erased"
    assert Contact.objects.get().message is None


def test_an_export_tells_the_names_of_merged_leads(bot, anna):
    ann = characters.contact(bot, lead_phone=None, lead_email="ann@example.com", lead_name="Ann").lead
    merging.merge_leads(lead_id=anna.pk, other_id=ann.pk)
    assert [lead.name for lead in export.export_lead(lead_id=anna.pk).merged] == ["Ann"]
