"""An identity that belongs to many people recognises nobody by itself, and stays sound through all that happens."""

import pytest

from core.errors import Conflict, Unknown
from leads import batch, erasure, lead_editing, merging
from leads.identity_actions import detach_identity, share_identity, unshare_identity
from leads.models import Identity, Lead, PossibleDuplicate
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

OFFICE = "+74951234567"


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def office(bot):
    """The first lead with the phone of an office, which is shared by now."""
    lead = characters.contact(bot, lead_phone=OFFICE, lead_name="First").lead
    share_identity(lead_id=lead.pk, identity_id=phone_of(lead).pk)
    return lead


def phone_of(lead):
    return Identity.objects.get(lead=lead, kind="phone", value=OFFICE)


def written(bot, **person):
    return characters.contact(bot, **{"lead_phone": OFFICE} | person).lead_id


def holders():
    return sorted(Identity.objects.filter(value=OFFICE).values_list("lead_id", flat=True))


@pytest.fixture(autouse=True)
def always_sound():
    yield
    assert characters.findings() == []


def test_a_contact_with_nothing_else_belongs_to_a_new_lead(bot, office):
    second, third = written(bot), written(bot)
    assert len({office.pk, second, third}) == 3
    assert holders() == [office.pk, second, third]
    assert Lead.objects.get(pk=second).phone == OFFICE
    assert not PossibleDuplicate.objects.exists()


def test_together_with_another_identity_that_one_decides(bot, office):
    anna = written(bot, lead_email="anna@example.com")
    assert written(bot, lead_email="anna@example.com") == anna != office.pk
    assert holders() == [office.pk, anna]
    assert written(bot, lead_phone=None, lead_email="anna@example.com") == anna


def test_the_first_lead_is_recognised_by_what_else_it_has(bot, office):
    assert written(bot, lead_external_id="42") != office.pk
    characters.contact(bot, lead_phone="+79990000001", lead_email="first@example.com")
    other = Identity.objects.get(value="first@example.com").lead_id
    assert written(bot, lead_email="first@example.com") == other


def test_a_batch_decides_like_single_registrations(bot, office):
    items = [{"source_id": bot.pk, "lead_phone": OFFICE}] * 2
    items += [{"source_id": bot.pk, "lead_phone": OFFICE, "lead_email": "anna@example.com"}] * 2
    batch.register_contacts(items=items)
    first, second, anna, again = Contact.objects.order_by("pk").values_list("lead_id", flat=True)[1:]
    assert len({office.pk, first, second, anna}) == 4
    assert again == anna
    assert holders() == [office.pk, first, second, anna]


def test_it_recognises_again_once_it_is_of_one_person_only(bot, office):
    unshare_identity(lead_id=office.pk, identity_id=phone_of(office).pk)
    assert written(bot) == office.pk


def test_it_is_not_of_one_person_while_others_have_it(bot, office):
    other = written(bot)
    for lead_id in (office.pk, other):
        with pytest.raises(Conflict) as refusal:
            unshare_identity(lead_id=lead_id, identity_id=phone_of(lead_id).pk)
        assert refusal.value.code == "shared_by_others"
    assert written(bot) not in (office.pk, other)


def test_after_a_merge_it_can_be_of_the_survivor_only(bot, office):
    other = written(bot)
    merging.merge_leads(lead_id=other, other_id=office.pk)
    [first, _copy] = Identity.objects.filter(value=OFFICE).order_by("pk")
    unshare_identity(lead_id=other, identity_id=first.pk)
    assert written(bot) == other
    assert holders() == [other]


def test_a_merge_that_is_undone_gives_each_its_own_again(bot, office):
    other = written(bot)
    merging.merge_leads(lead_id=office.pk, other_id=other)
    assert holders() == [office.pk, office.pk]
    merging.unmerge_lead(lead_id=other)
    assert holders() == [office.pk, other]


def test_when_the_first_is_erased_it_stays_shared_with_the_others(bot, office):
    second, third = written(bot), written(bot)
    erasure.erase_lead(lead_id=office.pk)
    assert holders() == [second, third]
    assert written(bot) not in (second, third)


def test_when_all_are_erased_it_is_new_again(bot, office):
    second = written(bot)
    erasure.erase_lead(lead_id=office.pk)
    erasure.erase_lead(lead_id=second)
    third = written(bot)
    assert written(bot) == third
    assert holders() == [third]


def test_erasing_a_merged_person_takes_first_and_copy(bot, office):
    second, third = written(bot), written(bot)
    merging.merge_leads(lead_id=office.pk, other_id=second)
    erasure.erase_lead(lead_id=office.pk)
    assert holders() == [third]


def test_when_it_is_detached_from_the_first_it_stays_shared_with_the_others(bot, office):
    second = written(bot)
    lead_editing.edit_lead(lead_id=office.pk, changes={"email": "first@example.com"})
    detach_identity(lead_id=office.pk, identity_id=phone_of(office).pk)
    assert holders() == [second]
    assert written(bot) != second


def test_correcting_the_phone_of_the_first_leaves_it_to_the_others(bot, office):
    second = written(bot)
    lead_editing.edit_lead(lead_id=office.pk, changes={"phone": "+79990000001"})
    assert Lead.objects.get(pk=office.pk).phone == "+79990000001"
    assert holders() == [second]


def test_a_shared_phone_can_be_given_to_a_lead_by_hand(bot, office):
    other = written(bot, lead_phone="+79990000001")
    assert lead_editing.edit_lead(lead_id=other, changes={"phone": OFFICE}).phone == OFFICE
    assert holders() == [office.pk, other]
    assert not PossibleDuplicate.objects.exists()


@pytest.mark.parametrize("given", [{"lead_email": "info@example.com"}, {"lead_external_id": "group-7"}])
def test_an_email_and_an_id_can_be_shared_as_well(bot, given):
    nobody_else = {"lead_phone": None} | given
    first = written(bot, **nobody_else)
    share_identity(lead_id=first, identity_id=Identity.objects.get(lead=first).pk)
    assert written(bot, **nobody_else) != first


def test_sharing_twice_changes_nothing(bot, office):
    assert share_identity(lead_id=office.pk, identity_id=phone_of(office).pk).is_shared


# Detaching


def test_a_detached_identity_recognises_somebody_else(bot):
    anna = characters.contact(bot, lead_phone="+79990000001", lead_email="anna@example.com")
    phone = Identity.objects.get(value="+79990000001")
    detach_identity(lead_id=anna.lead_id, identity_id=phone.pk)
    assert characters.contact(bot, lead_phone="+79990000001").lead_id != anna.lead_id
    assert characters.contact(bot, lead_phone=None, lead_email="anna@example.com").lead_id == anna.lead_id


def test_the_last_identity_stays(bot):
    anna = characters.contact(bot, lead_phone="+79990000001").lead
    with pytest.raises(Conflict) as refusal:
        detach_identity(lead_id=anna.pk, identity_id=anna.identities.get().pk)
    assert refusal.value.code == "last_identity"


def test_nobody_is_left_without_identities_when_a_merge_is_undone(bot):
    anna, other = (characters.contact(bot).lead for _ in range(2))
    phones = {lead.pk: lead.identities.get().pk for lead in (anna, other)}
    merging.merge_leads(lead_id=anna.pk, other_id=other.pk)
    for phone in phones.values():
        with pytest.raises(Conflict):
            detach_identity(lead_id=anna.pk, identity_id=phone)
    merging.unmerge_lead(lead_id=other.pk)
    assert {lead.pk: lead.identities.get().pk for lead in (anna, other)} == phones


def test_nor_when_two_merges_are_undone_one_after_the_other(bot):
    first, second, third = (characters.contact(bot).lead for _ in range(3))
    phone = first.identities.get().pk
    merging.merge_leads(lead_id=second.pk, other_id=first.pk)
    merging.merge_leads(lead_id=third.pk, other_id=second.pk)
    with pytest.raises(Conflict):
        detach_identity(lead_id=third.pk, identity_id=phone)
    for lead in (second, first):
        merging.unmerge_lead(lead_id=lead.pk)
    assert first.identities.get().pk == phone


def test_the_identity_of_another_lead_is_not_touched(bot):
    anna, other = (characters.contact(bot).lead for _ in range(2))
    for verb in (detach_identity, share_identity, unshare_identity):
        with pytest.raises(Unknown):
            verb(lead_id=anna.pk, identity_id=other.identities.get().pk)


# Cost


def test_a_known_lead_who_adds_nothing_costs_no_statement_more(bot, django_assert_num_queries):
    characters.contact(bot, lead_phone="+79990000001", lead_external_id="7")
    with django_assert_num_queries(5 if characters.ON_POSTGRESQL else 7):
        characters.contact(bot, lead_phone="+79990000001", lead_external_id="7")
