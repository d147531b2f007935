"""A registration goes by the key as its process has seen it last, and asks again before it does or answers anything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access import keys
from access.models import ApiKey
from core.db.postgresql.conversation import Conversation
from routing.models import Contact, Source
from tests import characters
from tests.access import callers

pytestmark = pytest.mark.django_db

CONTACTS = "/api/v1/contacts"
DEAD = {
    "revoked": {"revoked_at": timezone.now()},
    "expired": {"expires_at": timezone.now() - timedelta(seconds=1)},
}


@pytest.fixture
def key(telegram):
    """Of a bot that has just called this process."""
    made = callers.key(telegram)
    callers.with_key(made.secret).get(CONTACTS)
    assert keys.recall(made.secret) == made.key
    return made


@pytest.fixture
def bot(key):
    return callers.with_key(key.secret)


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
@pytest.mark.parametrize("what", ["good", "nobody", "unreadable", "repeated", "of another", "no JSON", "too large"])
def test_a_key_that_another_process_has_ended_is_a_401_whatever_is_asked(telegram, key, bot, dead, what):
    body = callers.somebody_at(telegram)
    headers = {"Idempotency-Key": "k1"}
    assert bot.post(CONTACTS, body, headers=headers).status_code == 201
    asked = {
        "good": callers.somebody_at(telegram),
        "nobody": {"source_id": telegram.pk},
        "unreadable": {"source_id": telegram.pk, "lead_phone": "+7999"},
        "repeated": body,
        "of another": callers.somebody_at(characters.source()),
        "no JSON": "{",
        "too large": body | {"message": "a" * 2**20},
    }[what]
    ApiKey.objects.update(**dead)
    sent = {"content_type": "application/json"} if what == "no JSON" else {}
    answer = bot.post(CONTACTS, asked, headers=headers if what == "repeated" else {}, **sent)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), answer.content
    assert answer["WWW-Authenticate"] == "Bearer"
    assert Contact.objects.count() == 1
    assert keys.recall(key.secret) is None


def test_a_key_of_a_closed_source_hears_of_the_source(telegram, bot):
    Source.objects.update(archived_at=timezone.now())
    assert bot.post(CONTACTS, callers.somebody_at(telegram)).status_code == 404


def test_only_the_whole_key_is_recalled(key):
    assert keys.recall(key.secret[:-1] + ("A" if key.secret[-1] != "A" else "B")) is None
    assert keys.recall(key.secret[:16]) is None
    assert keys.recall("") is None


def test_a_key_that_was_never_found_is_not_recalled(telegram):
    assert keys.recall(callers.key(telegram).secret) is None


def test_its_use_is_noted_once_a_minute_all_the_same(telegram, key, bot, time_machine):
    at = timezone.now() + keys.NOTED_EVERY
    time_machine.move_to(at)
    assert bot.post(CONTACTS, callers.somebody_at(telegram)).status_code == 201
    assert ApiKey.objects.filter(last_used_at__gte=at).exists()
    assert keys.recall(key.secret) is not None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_key_goes_with_the_first_turn_of_the_registration(telegram, bot, monkeypatch):
    characters.contact(telegram)  # by now this process has seen the source
    exchange, turns = Conversation.exchange, []

    def count(self, questions, *, commit):
        turns.append(len(questions) + commit)
        exchange(self, questions, commit=commit)

    monkeypatch.setattr(Conversation, "exchange", count)
    assert bot.post(CONTACTS, callers.somebody_at(telegram)).status_code == 201
    assert turns == [3, 3]  # identities, key and roster; lock, what is stored, and the commit
