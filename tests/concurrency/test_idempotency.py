"""One key makes one contact, however many of its requests arrive at once."""

from contextlib import suppress

import pytest

from core.errors import Busy, Reused
from leads import batch
from leads.models import Lead
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna():
    return characters.operator(limit=100)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def send(bot, **asked):
    return lambda: characters.contact(bot, **{"lead_phone": "+79990000001", "idempotency_key": "k1"} | asked)


def test_24_repeats_at_once_are_one_contact(bot, anna):
    answers = together(*[send(bot)] * 24)
    assert len({contact.pk for contact in answers}) == 1
    assert sorted(contact.is_replay for contact in answers) == [False] + [True] * 23
    assert (Contact.objects.count(), Lead.objects.count(), characters.load(anna)) == (1, 1, 1)


def test_of_two_bodies_at_once_one_is_registered_and_the_other_refused(bot, anna):
    def register(job):
        with suppress(Reused):
            return job()

    texts = ["Hello", "Bye"] * 12
    answers = together(*[lambda text=text: register(send(bot, message=text)) for text in texts])
    assert sum(answer is not None for answer in answers) == 12
    assert Contact.objects.count() == characters.load(anna) == 1


def test_a_batch_sent_by_many_at_once_is_registered_once(bot, anna):
    items = [{"source_id": bot.pk, "lead_phone": f"+799900000{n:02d}", "idempotency_key": f"k{n}"} for n in range(60)]
    together(*[lambda: batch.register_contacts(items=items)] * 8)
    assert Contact.objects.count() == Lead.objects.count() == characters.load(anna) == 60
    assert characters.findings() == []


@pytest.mark.postgresql
def test_without_trying_again_a_repeat_fails(bot, monkeypatch):
    """The control: who lost the race for a key does not look again."""
    monkeypatch.setattr("core.retry.ATTEMPTS", 1)

    def send_again_and_again():
        for number in range(20):
            together(*[send(bot, idempotency_key=f"k{number}", lead_phone=characters.somebody_new())] * 24)

    with pytest.raises(Busy):
        send_again_and_again()
