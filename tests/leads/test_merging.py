import pytest

from core.errors import Conflict, Unknown
from leads import lead_editing, lead_lookup, merging
from leads.models import Identity, Lead, Merge, PossibleDuplicate
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def anna(bot):
    return characters.contact(bot, lead_phone="+79990000001", lead_name="Anna").lead


@pytest.fixture
def ann(bot):
    return characters.contact(bot, lead_phone=None, lead_email="ann@example.com", lead_name="Ann").lead


def merge(survivor, other):
    return merging.merge_leads(lead_id=survivor.pk, other_id=other.pk, by="user boris")


def test_identities_and_contacts_flow_into_the_survivor(bot, anna, ann):
    merge(anna, ann)
    assert set(anna.identities.values_list("value", flat=True)) == {"+79990000001", "ann@example.com"}
    assert anna.contacts.count() == 2
    assert characters.contact(bot, lead_phone=None, lead_email="ann@example.com").lead_id == anna.pk


def test_the_survivor_goes_on_showing_itself_even_when_the_other_is_older(bot, anna):
    younger = characters.contact(bot, lead_phone="+79990000002", lead_name="Anna P.").lead
    merge(younger, anna)
    younger = Lead.objects.get(pk=younger.pk)
    assert (younger.phone, younger.name) == ("+79990000002", "Anna P.")


def test_the_survivor_takes_what_it_has_not(bot, ann):
    nameless = characters.contact(bot, lead_phone="+79990000002").lead
    merge(nameless, ann)
    nameless = Lead.objects.get(pk=nameless.pk)
    assert (nameless.phone, nameless.email, nameless.name) == ("+79990000002", "ann@example.com", "Ann")


def test_a_merged_lead_is_found_as_its_survivor_also_through_two_merges(bot, anna, ann):
    third = characters.contact(bot).lead
    merge(anna, ann)
    merge(third, anna)
    assert lead_lookup.find_lead(ann.pk).pk == third.pk


def test_merging_twice_changes_nothing(anna, ann):
    merge(anna, ann)
    merge(anna, ann)
    merge(ann, anna)
    assert Merge.objects.count() == 1


def test_nobody_is_merged_into_themselves(anna):
    with pytest.raises(Conflict, match="itself"):
        merge(anna, anna)


def test_somebody_unknown_cannot_be_merged(anna):
    with pytest.raises(Unknown):
        merging.merge_leads(lead_id=anna.pk, other_id=10**6)


def test_the_merged_leads_doubts_become_the_survivors(bot, anna, ann):
    crossed = characters.contact(bot, lead_phone="+79990000003").lead
    characters.contact(bot, lead_phone="+79990000003", lead_email="ann@example.com")
    merge(anna, ann)
    pairs = PossibleDuplicate.objects.undecided()
    assert [(pair.lead_id, pair.other_id) for pair in pairs] == [(anna.pk, crossed.pk)]


def test_a_pair_is_decided_as_long_as_one_of_it_is_merged(bot, anna, ann):
    third = characters.contact(bot).lead
    PossibleDuplicate.objects.create(lead=ann, other=third)
    merge(anna, ann)
    merge(double := characters.contact(bot).lead, third)
    merging.unmerge_lead(lead_id=ann.pk)
    assert not PossibleDuplicate.objects.undecided().filter(lead=ann, other=third).exists()
    merging.unmerge_lead(lead_id=double.pk)
    assert PossibleDuplicate.objects.undecided().filter(lead=ann, other=third).exists()


def test_a_dismissed_pair_does_not_come_back(bot, anna, ann):
    characters.contact(bot, lead_phone="+79990000001", lead_email="ann@example.com")
    merging.dismiss_duplicate(pair_id=PossibleDuplicate.objects.get().pk)
    characters.contact(bot, lead_phone="+79990000001", lead_email="ann@example.com")
    assert not PossibleDuplicate.objects.undecided().exists()


@pytest.mark.parametrize("asked_for", ["the survivor", "the merged"])
def test_undoing_brings_back_exactly_what_was(bot, anna, ann, asked_for):
    characters.contact(bot, lead_phone="+79990000001", lead_email="ann@example.com")
    before = everything()
    merge(anna, ann)
    assert everything() != before
    merging.unmerge_lead(lead_id={"the survivor": anna, "the merged": ann}[asked_for].pk)
    assert everything() == before


def test_what_came_after_the_merge_stays_with_the_survivor(bot, anna, ann):
    merge(anna, ann)
    later = characters.contact(bot, lead_phone=None, lead_email="ann@example.com", lead_external_id="42")
    merging.unmerge_lead(lead_id=ann.pk)
    assert Contact.objects.get(pk=later.pk).lead_id == anna.pk
    assert characters.contact(bot, lead_phone=None, lead_external_id="42").lead_id == anna.pk
    assert characters.contact(bot, lead_phone=None, lead_email="ann@example.com").lead_id == ann.pk


def test_a_name_given_after_the_merge_is_kept(bot, ann):
    nameless = characters.contact(bot, lead_phone="+79990000002").lead
    merge(nameless, ann)
    lead_editing.edit_lead(lead_id=nameless.pk, changes={"name": "Anna Petrova"})
    merging.unmerge_lead(lead_id=nameless.pk)
    assert Lead.objects.get(pk=nameless.pk).name == "Anna Petrova"


def test_a_merge_is_undone_before_what_it_rests_on(bot, anna, ann):
    third = characters.contact(bot).lead
    merge(anna, ann)
    merge(third, anna)
    with pytest.raises(Conflict) as refusal:
        merging.unmerge_lead(lead_id=ann.pk)
    assert refusal.value.code == "survivor_merged"


def test_there_is_nothing_to_undo_twice(anna, ann):
    merge(anna, ann)
    merging.unmerge_lead(lead_id=ann.pk)
    with pytest.raises(Conflict) as refusal:
        merging.unmerge_lead(lead_id=ann.pk)
    assert refusal.value.code == "not_merged"


def test_the_journal_says_who_did_it_and_who_undid_it(anna, ann):
    merge(anna, ann)
    merging.unmerge_lead(lead_id=ann.pk, by="user vera")
    assert Merge.objects.values_list("by", "undone_by").get() == ("user boris", "user vera")


def everything():
    """All that is known of anybody, but for the journal of merges."""
    return [list(model.objects.order_by("pk").values()) for model in (Lead, Identity, Contact, PossibleDuplicate)]


def test_correcting_a_phone_after_a_merge_leaves_what_the_other_brought(bot, anna):
    other = characters.contact(bot, lead_phone="+79990000002").lead
    merge(anna, other)
    lead_editing.edit_lead(lead_id=anna.pk, changes={"phone": "+79990000002"})
    assert Lead.objects.get(pk=anna.pk).phone == "+79990000002"
    merging.unmerge_lead(lead_id=anna.pk)
    assert (Lead.objects.get(pk=anna.pk).phone, Lead.objects.get(pk=other.pk).phone) == ("+79990000001", "+79990000002")


def test_the_last_identity_of_its_own_cannot_be_taken_away_after_a_merge(anna, ann):
    merge(anna, ann)
    with pytest.raises(Conflict) as refusal:
        lead_editing.edit_lead(lead_id=anna.pk, changes={"phone": None})
    assert refusal.value.code == "last_identity"


def test_nor_can_the_last_one_that_the_other_has_brought(bot, ann):
    other = characters.contact(bot, lead_phone="+79990000002").lead
    merge(ann, other)
    with pytest.raises(Conflict) as refusal:
        lead_editing.edit_lead(lead_id=ann.pk, changes={"phone": None})
    assert refusal.value.code == "last_identity"
    merging.unmerge_lead(lead_id=other.pk)
    assert characters.contact(bot, lead_phone="+79990000002").lead_id == other.pk


def test_a_new_phone_for_a_survivor_that_had_none_is_its_own(bot, ann):
    other = characters.contact(bot, lead_phone="+79990000002").lead
    merge(ann, other)
    lead_editing.edit_lead(lead_id=ann.pk, changes={"phone": "+79990000003"})
    assert Lead.objects.get(pk=ann.pk).phone == "+79990000003"
    merging.unmerge_lead(lead_id=ann.pk)
    assert (Lead.objects.get(pk=ann.pk).phone, Lead.objects.get(pk=other.pk).phone) == ("+79990000003", "+79990000002")


def test_a_second_correction_after_a_merge_shows_itself_and_spares_what_the_other_brought(bot, anna):
    other = characters.contact(bot, lead_phone="+79990000002").lead
    merge(anna, other)
    for phone in ("+79990000002", "+79990000003"):
        lead_editing.edit_lead(lead_id=anna.pk, changes={"phone": phone})
        assert Lead.objects.get(pk=anna.pk).phone == phone
    merging.unmerge_lead(lead_id=anna.pk)
    assert (Lead.objects.get(pk=anna.pk).phone, Lead.objects.get(pk=other.pk).phone) == ("+79990000003", "+79990000002")


def test_a_second_phone_that_was_chosen_before_a_merge_ranks_behind_the_survivors(bot):
    older = characters.contact(bot, lead_phone="+79990000002", lead_external_id="7").lead
    characters.contact(bot, lead_phone="+79990000004", lead_external_id="7")
    lead_editing.edit_lead(lead_id=older.pk, changes={"phone": "+79990000004"})
    younger = characters.contact(bot, lead_phone="+79990000009").lead
    before = everything()
    merge(younger, older)
    assert Lead.objects.get(pk=younger.pk).phone == "+79990000009"
    merging.unmerge_lead(lead_id=younger.pk)
    assert everything() == before
