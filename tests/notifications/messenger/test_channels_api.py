"""The channels of an operator, as the API sets them."""

import pytest

from core.changes.models import Change
from notifications.messenger.models import Channel, Notice
from tests import characters

MAIL = {"kind": "email", "address": "anna@example.com"}
TELEGRAM = {"kind": "telegram"}


@pytest.fixture
def anna(db):
    return characters.operator("Anna")


def url(operator, what="channels"):
    return f"/api/v1/operators/{operator.pk}/{what}"


def put(api, operator, *channels):
    return api.put(url(operator), list(channels))


def test_channels_are_replaced_as_a_whole(api, anna):
    put(api, anna, MAIL)
    answer = put(api, anna, TELEGRAM, {"kind": "webhook", "address": "https://example.com/hook"})
    assert [channel["kind"] for channel in answer.json()] == ["telegram", "webhook"]
    assert api.get(url(anna)).json() == [channel | {"secret": None} for channel in answer.json()]


def test_a_channel_keeps_its_id_and_its_link(api, anna):
    [first] = put(api, anna, TELEGRAM).json()
    Channel.objects.update(address="1001")
    [again] = put(api, anna, TELEGRAM | {"quiet": {"from": "22:00", "to": "08:00"}}).json()
    assert again == first | {"address": "1001", "quiet": {"from": "22:00", "to": "08:00"}}


def test_the_secret_of_a_webhook_is_shown_once(api, anna):
    hook = {"kind": "webhook", "address": "https://example.com/hook"}
    assert put(api, anna, hook).json()[0]["secret"].startswith("whsec_")
    assert put(api, anna, hook).json()[0]["secret"] is None


@pytest.mark.parametrize(
    ("channel", "field"),
    [
        ({"kind": "pigeon", "address": "x"}, "0.kind"),
        ({"kind": "email", "address": "anna"}, "0.address"),
        ({"kind": "email"}, "0.address"),
        ({"kind": "email", "address": "анна@example.com"}, "0.address"),
        ({"kind": "telegram", "address": "-100500"}, "0.address"),
        ({"kind": "telegram", "address": "@anna"}, "0.address"),
        ({"kind": "webhook", "address": "ftp://example.com"}, "0.address"),
        ({"kind": "webhook", "address": "http://127.0.0.1/hook"}, "0.address"),
        (MAIL | {"types": ["contact.eaten"]}, "0.types.0"),
        (MAIL | {"quiet": {"from": "22:00"}}, "0.quiet.to"),
        (MAIL | {"quiet": {"from": "22:00", "to": "22:00"}}, "0.quiet"),
        (MAIL | {"quiet": {"from": "25:00", "to": "08:00"}}, "0.quiet.from"),
    ],
)
def test_what_cannot_be_is_named_and_changes_nothing(api, anna, channel, field):
    answer = put(api, anna, channel)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Channel.objects.exists()


def test_the_same_channel_twice_is_refused(api, anna):
    assert put(api, anna, MAIL, MAIL).json()["errors"][0]["field"] == "1.address"


def test_a_chat_that_belongs_to_somebody_else_is_refused(api, anna):
    put(api, anna, TELEGRAM | {"address": "1001"})
    answer = put(api, characters.operator("Boris"), TELEGRAM | {"address": "1001"})
    assert (answer.status_code, answer.json()["code"]) == (409, "chat_taken")


def test_a_channel_that_was_switched_off_stays_so_until_told(api, anna):
    put(api, anna, MAIL)
    Channel.objects.update(is_active=False, off_reason="refused")
    assert put(api, anna, MAIL).json()[0]["off_reason"] == "refused"
    assert put(api, anna, MAIL | {"is_active": True}).json()[0]["off_reason"] is None


def test_an_unknown_operator_has_no_channels(api, db):
    for method, what in ((api.get, "channels"), (api.get, "notifications"), (api.post, "telegram-link")):
        assert method(f"/api/v1/operators/404/{what}").status_code == 404


def test_a_change_of_channels_is_recorded_without_secrets(api, anna):
    hook = [{"kind": "webhook", "address": "https://example.com/hook"}]
    api.put(url(anna), hook, headers={"X-Change-Reason": "new CRM"})
    change = Change.objects.get(what="operator.channels")
    assert (change.before, change.reason) == ({"channels": []}, "new CRM")
    assert "whsec" not in str(change.after)
    put(api, anna, {"kind": "webhook", "address": "https://example.com/hook"})
    assert Change.objects.filter(what="operator.channels").count() == 1


def test_pages_of_notifications_lead_to_the_oldest(api, anna):
    [mail] = put(api, anna, MAIL).json()
    made = [Notice.objects.create(channel_id=mail["id"], type="contact.assigned").pk for _ in range(3)]
    first = api.get(url(anna, "notifications"), {"page_size": 2}).json()
    second = api.get(first["next"]).json()
    assert [one["id"] for one in first["results"] + second["results"]] == made[::-1]


def test_without_a_bot_a_link_is_a_conflict(api, anna):
    answer = api.post(url(anna, "telegram-link"))
    assert (answer.status_code, answer.json()["code"]) == (409, "telegram_off")


def test_a_link_is_answered_once(api, anna, telegram):
    answer = api.post(url(anna, "telegram-link"))
    assert answer.status_code == 201
    assert answer.json()["url"].startswith("https://t.me/")
    assert answer.json()["expires_at"].endswith("Z")
