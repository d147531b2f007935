"""A phone becomes shared, and loses the lead that had it first, while people write from it."""

import pytest

from core.errors import Conflict
from leads import erasure, identity_actions
from leads.models import Identity
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

OFFICE = "+74951234567"


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def first(bot):
    return characters.contact(bot, lead_phone=OFFICE).lead


def share(lead):
    identity = Identity.objects.get(lead=lead, value=OFFICE)
    identity_actions.share_identity(lead_id=lead.pk, identity_id=identity.pk)


def unique_rows():
    return Identity.objects.filter(value=OFFICE, copy_of__isnull=True).count()


def test_who_writes_while_it_becomes_shared_is_the_first_lead_or_a_new_one(bot, first):
    write = [lambda: characters.contact(bot, lead_phone=OFFICE).lead_id] * 8
    _, *leads = together(lambda: share(first), *write)
    others = [lead_id for lead_id in leads if lead_id != first.pk]
    assert len(set(others)) == len(others)
    assert Identity.objects.filter(value=OFFICE).count() == 1 + len(others)
    assert unique_rows() == 1
    assert characters.findings() == []


def test_while_the_first_lead_is_erased_it_stays_shared_for_those_who_write(bot, first):
    share(first)
    second = characters.contact(bot, lead_phone=OFFICE).lead
    write = [lambda: characters.contact(bot, lead_phone=OFFICE).lead_id] * 6
    _, _, *leads = together(
        lambda: erasure.erase_lead(lead_id=first.pk), lambda: erasure.erase_lead(lead_id=second.pk), *write
    )
    holders = set(Identity.objects.filter(value=OFFICE).values_list("lead_id", flat=True))
    assert holders == set(leads)
    assert unique_rows() == 1
    assert characters.findings() == []


def test_a_known_lead_who_gives_it_several_times_at_once_has_it_once(bot, first):
    share(first)
    anna = characters.contact(bot, lead_phone=None, lead_external_id="anna").lead
    together(*[lambda: characters.contact(bot, lead_phone=OFFICE, lead_external_id="anna")] * 6)
    assert anna.identities.filter(value=OFFICE).count() == 1
    assert characters.findings() == []


def test_it_is_of_one_lead_again_or_of_several_but_never_both(bot, first):
    share(first)
    identity = Identity.objects.get(lead=first, value=OFFICE)

    def unshare():
        try:
            identity_actions.unshare_identity(lead_id=first.pk, identity_id=identity.pk)
        except Conflict:
            return False
        return True

    write = [lambda: characters.contact(bot, lead_phone=OFFICE).lead_id] * 4
    is_unshared, *leads = together(unshare, *write)
    assert unique_rows() == 1
    assert set(leads) == {first.pk} if is_unshared else first.pk not in leads
    assert characters.findings() == []
