"""One person is one lead, however many of their messages arrive at once."""

import pytest

from core import events
from core.errors import Busy
from core.retry import Lost
from leads import batch
from leads.models import Identity, Lead
from routing.models import Contact, Source
from tests import characters
from tests.concurrency.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

SPELLINGS = ["+79991234567", "8 (999) 123-45-67", "9991234567", "+7 999 123-45-67"]


def test_24_messages_of_somebody_new_make_one_lead():
    bot = characters.source()
    jobs = [lambda phone=SPELLINGS[n % 4]: characters.contact(bot, lead_phone=phone) for n in range(24)]
    assert len({contact.lead_id for contact in together(*jobs)}) == 1
    assert (Lead.objects.count(), Identity.objects.count(), Contact.objects.count()) == (1, 1, 24)


def test_crossed_phone_and_email_neither_fail_nor_deadlock(monkeypatch):
    told = list[object]()
    monkeypatch.setattr(events, "listeners", [told.append])
    bot = characters.source(roster={characters.operator(limit=100): 10})
    phone, email = {"lead_phone": "+79991234567"}, {"lead_phone": None, "lead_email": "anna@example.com"}
    both = phone | {"lead_email": "anna@example.com"}
    jobs = [lambda person=person: characters.contact(bot, **person) for person in [phone, email, both] * 8]
    items = [{"source_id": bot.pk, **both}]
    together(*jobs, *[lambda: batch.register_contacts(items=items)] * 8)
    assert Lost("deadlock") not in told
    assert Contact.objects.count() == 32
    assert Identity.objects.count() == 2
    assert Lead.objects.filter(contacts=None).count() == 0


def test_simultaneous_messages_of_one_client_go_to_one_operator_of_a_sticky_source():
    other, bot = characters.source(), characters.source(roster={characters.operator(limit=100): 10 for _ in range(5)})
    Source.objects.filter(pk=bot.pk).update(is_sticky=True)
    for _ in range(5):
        phone = characters.somebody_new()
        characters.contact(other, lead_phone=phone)
        contacts = together(*[lambda phone=phone: characters.contact(bot, lead_phone=phone) for _ in range(8)])
        assert len({contact.operator_id for contact in contacts}) == 1


@pytest.mark.postgresql
def test_without_trying_again_somebody_new_fails_or_is_several(monkeypatch):
    """The control: a request that lost the race for a new identity does not look again."""
    bot = characters.source()
    monkeypatch.setattr("core.retry.ATTEMPTS", 1)

    def messages_of_new_people():
        for _ in range(20):
            phone = characters.somebody_new()
            together(*[lambda phone=phone: characters.contact(bot, lead_phone=phone) for _ in range(24)])

    with pytest.raises(Busy):
        messages_of_new_people()
