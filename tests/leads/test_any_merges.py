"""Whoever is merged and unmerged in whatever order: every identity is on one lead, and no contact is lost."""

from contextlib import contextmanager

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.errors import Conflict
from leads import lead_editing, lead_lookup, merging
from leads.models import Identity, Lead, Merge, PossibleDuplicate
from routing.models import Contact
from tests import characters

PHONES = st.sampled_from(["+79990000001", "8 999 000-00-01", "+79990000002", "9990000003", "+79990000004"])
EMAILS = st.sampled_from(["a@example.com", "B@Example.com", "b@example.com", "c@example.com"])
CHATS = st.sampled_from(["1", "2", "3"])
EXAMPLES = 4 if characters.ON_POSTGRESQL else 20


class AnyMerges(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.registered = 0

    def teardown(self):
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize()
    def two_bots(self):
        self.bots = [characters.source(), characters.source()]

    @rule(
        bot=st.integers(0, 1),
        phone=st.none() | PHONES,
        email=st.none() | EMAILS,
        chat=st.none() | CHATS,
        name=st.sampled_from([None, "Anna", "Boris"]),
    )
    def somebody_writes(self, bot, phone, email, chat, name):
        if phone or email or chat:
            given = {"lead_phone": phone, "lead_email": email, "lead_external_id": chat, "lead_name": name}
            contact = characters.contact(self.bots[bot], **given)
            assert contact.lead.merged_into_id is None
            self.registered += 1

    @precondition(lambda self: Lead.objects.count() > 1)
    @rule(data=st.data())
    def two_are_merged(self, data):
        leads = st.sampled_from(list(Lead.objects.order_by("pk").values_list("pk", flat=True)))
        one, other = data.draw(leads), data.draw(leads)
        if one != other:
            merging.merge_leads(lead_id=one, other_id=other)
            assert lead_lookup.find_lead(one).pk == lead_lookup.find_lead(other).pk

    @precondition(lambda self: Lead.objects.current().count() > 1)
    @rule(data=st.data())
    def a_merge_undone_at_once_changes_nothing(self, data):
        leads = st.sampled_from(list(Lead.objects.current().order_by("pk").values_list("pk", flat=True)))
        one, other = data.draw(leads), data.draw(leads)
        if one != other:
            before = everything()
            merging.merge_leads(lead_id=one, other_id=other)
            merging.unmerge_lead(lead_id=data.draw(st.sampled_from([one, other])))
            assert everything() == before

    @precondition(lambda self: Lead.objects.exists())
    @rule(data=st.data())
    def a_merge_is_undone(self, data):
        leads = st.sampled_from(list(Lead.objects.order_by("pk").values_list("pk", flat=True)))
        with or_refused("not_merged", "survivor_merged"):
            merging.unmerge_lead(lead_id=data.draw(leads))

    @precondition(lambda self: Lead.objects.exists())
    @rule(data=st.data(), phone=PHONES)
    def a_phone_is_corrected(self, data, phone):
        leads = st.sampled_from(list(Lead.objects.order_by("pk").values_list("pk", flat=True)))
        with or_refused("identity_taken"):
            lead_editing.edit_lead(lead_id=data.draw(leads), changes={"phone": phone})

    @invariant()
    def no_contact_is_lost(self):
        assert Contact.objects.count() == self.registered

    @invariant()
    def a_merged_lead_keeps_nothing_for_itself(self):
        merged = Lead.objects.filter(merged_into__isnull=False)
        assert not Identity.objects.filter(lead__in=merged).exists()
        assert not Contact.objects.filter(lead__in=merged).exists()
        assert set(merged.values_list("pk", "merged_into")) == set(
            Merge.objects.filter(undone_at__isnull=True).values_list("merged", "survivor")
        )

    @invariant()
    def a_pair_knows_whether_one_of_it_is_merged(self):
        merged = set(Lead.objects.filter(merged_into__isnull=False).values_list("pk", flat=True))
        for lead, other, is_merged in PossibleDuplicate.objects.values_list("lead", "other", "is_merged"):
            assert is_merged == bool({lead, other} & merged)

    @invariant()
    def every_identity_is_on_exactly_one_lead(self):
        known = list(Identity.objects.values_list("kind", "value", "source"))
        assert len(known) == len(set(known))


@contextmanager
def or_refused(*codes):
    try:
        yield
    except Conflict as refusal:
        if refusal.code not in codes:
            raise


def everything():
    """All that is known of anybody, but for the journal of merges."""
    return [list(model.objects.order_by("pk").values()) for model in (Lead, Identity, Contact)] + [
        set(PossibleDuplicate.objects.values_list("lead", "other", "dismissed_at"))
    ]


def test_any_sequence_of_merges_loses_nothing(db):
    run_state_machine_as_test(
        AnyMerges,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=HealthCheck
        ),
    )
