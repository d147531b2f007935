"""A chat is linked by a link that works once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.changes.models import Change
from core.errors import Conflict
from notifications.messenger import linking, updates
from notifications.messenger.models import Channel, LinkToken
from tests import characters

ANNA, BORIS = 1001, 1002


@pytest.fixture
def anna(db):
    return characters.operator("Anna")


def token_for(operator):
    return linking.make_link(operator_id=operator.pk).url.partition("?start=")[2]


def open_link(server, chat_id, token, **fields):
    """The person opens the link; returns what the bot writes."""
    server.write(chat_id, f"/start {token}", **fields)
    updates.read_updates()
    return server.messages(chat_id)[-1]["text"]


def chat_of(operator):
    return Channel.objects.get(operator=operator, removed_at=None).address


def test_the_link_leads_to_the_bot(telegram, anna):
    link = linking.make_link(operator_id=anna.pk)
    assert link.url.startswith("https://t.me/crm_router_demo_bot?start=")
    assert link.url not in repr(link)


def test_who_opens_the_link_gets_the_messages(telegram, anna):
    assert "Anna" in open_link(telegram, ANNA, token_for(anna))
    assert chat_of(anna) == str(ANNA)


def test_linking_is_recorded_as_a_change_of_the_operators_channels(telegram, anna):
    open_link(telegram, ANNA, token_for(anna))
    made, linked = Change.objects.filter(what="operator.channels", operator_id=anna.pk).order_by("pk")
    assert [one["address"] for one in made.after["channels"]] == [None]
    assert [one["address"] for one in linked.after["channels"]] == [str(ANNA)]
    assert (linked.by, linked.via) == ("operator Anna", "messenger")


def test_a_link_works_once(telegram, anna):
    token = token_for(anna)
    open_link(telegram, ANNA, token)
    assert "not valid" in open_link(telegram, BORIS, token)
    assert chat_of(anna) == str(ANNA)


def test_a_link_ends_when_another_is_made(telegram, anna):
    old, new = token_for(anna), token_for(anna)
    assert "not valid" in open_link(telegram, ANNA, old)
    assert "Anna" in open_link(telegram, ANNA, new)


def test_a_link_ends_after_a_day(telegram, anna):
    token = token_for(anna)
    LinkToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "not valid" in open_link(telegram, ANNA, token)


def test_a_chat_that_belongs_to_somebody_else_stays_theirs(telegram, anna):
    open_link(telegram, ANNA, token_for(anna))
    boris = characters.operator("Boris")
    assert "Anna" in open_link(telegram, ANNA, token_for(boris))
    assert (chat_of(anna), chat_of(boris)) == (str(ANNA), "")


def test_a_group_cannot_be_linked(telegram, anna):
    assert "private chat" in open_link(telegram, -5, token_for(anna), kind="group")
    assert chat_of(anna) == ""


def test_the_bot_answers_in_the_language_of_the_person(telegram, anna):
    open_link(telegram, ANNA, token_for(anna), language="ru")
    assert Channel.objects.get(operator=anna).language == "ru"


def test_the_token_is_stored_hashed(telegram, anna):
    token = token_for(anna)
    assert token not in str(list(LinkToken.objects.values()))


def test_without_a_bot_there_is_no_link(settings, anna):
    settings.TELEGRAM_BOT_TOKEN = ""
    with pytest.raises(Conflict, match="TELEGRAM_BOT_TOKEN"):
        linking.make_link(operator_id=anna.pk)


def test_rubbish_stops_no_update(telegram, anna):
    token = token_for(anna)
    telegram.add_update({"message": {"text": "/start", "chat": {"id": "x"}}})
    telegram.add_update({"callback_query": {"id": "q", "from": {}, "data": 7}})
    telegram.add_update({"something": "new"})
    assert "Anna" in open_link(telegram, ANNA, token)
