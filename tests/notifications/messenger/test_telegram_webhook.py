"""Where there is a public address Telegram calls it, with a secret that only Telegram knows."""

import pytest

from notifications.messenger import linking, updates
from notifications.messenger.models import Channel, TelegramUpdate
from tests import characters

SECRET = "only-telegram-knows-this"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
ANNA = 1001


@pytest.fixture
def webhook_mode(settings, telegram):
    settings.TELEGRAM_WEBHOOK_URL = "https://crm.example.com/telegram/updates"
    settings.TELEGRAM_WEBHOOK_SECRET = SECRET
    return telegram


def start(token, number=1):
    chat = {"id": ANNA, "type": "private"}
    return {"update_id": number, "message": {"text": f"/start {token}", "chat": chat, "from": {"id": ANNA}}}


def call(api, body, secret=SECRET):
    return api.post("/telegram/updates", body, headers={HEADER: secret} if secret else {})


def test_the_worker_tells_telegram_where_to_call(webhook_mode, db):
    updates.read_updates()
    assert webhook_mode.webhook["url"] == "https://crm.example.com/telegram/updates"
    assert webhook_mode.webhook["secret_token"] == SECRET


def test_what_telegram_sends_is_done_by_the_worker(webhook_mode, api):
    anna = characters.operator("Anna")
    webhook_mode.chats[ANNA] = {}
    token = linking.make_link(operator_id=anna.pk).url.partition("?start=")[2]
    assert call(api, start(token)).status_code == 200
    updates.read_updates()
    assert Channel.objects.get(operator=anna).address == str(ANNA)
    assert not TelegramUpdate.objects.exists()


def test_an_update_that_comes_twice_is_kept_once(webhook_mode, api):
    for _ in range(2):
        assert call(api, start("token")).status_code == 200
    assert TelegramUpdate.objects.count() == 1


@pytest.mark.parametrize("text", [r'"\u0000"', r'"\ud800"', "NaN", "1e999"])
def test_an_update_that_no_database_stores_holds_up_no_other(webhook_mode, api, text):
    body = f'{{"update_id": 1, "message": {{"text": {text}}}}}'
    answer = api.post("/telegram/updates", body, content_type="application/json", headers={HEADER: SECRET})
    assert answer.status_code == 200
    assert call(api, start("token", number=2)).status_code == 200


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET[:-1], SECRET + "x", "тайна"])
def test_a_forged_update_is_refused(webhook_mode, api, secret):
    assert call(api, start("token"), secret).status_code == 403
    assert not TelegramUpdate.objects.exists()


def test_without_a_secret_there_is_no_webhook(api, settings):
    settings.TELEGRAM_WEBHOOK_SECRET = ""
    assert call(api, start("token"), None).status_code == 404


@pytest.mark.parametrize("body", [[], {}, {"update_id": "x"}, {"update_id": -1}, {"update_id": 10**30}])
def test_what_is_no_update_is_refused(webhook_mode, api, body):
    assert call(api, body).status_code == 400


def test_a_get_is_refused(webhook_mode, api):
    assert api.get("/telegram/updates", headers={HEADER: SECRET}).status_code == 405


def test_the_worker_takes_the_webhook_back_when_it_polls(telegram, db):
    telegram.webhook = {"url": "https://elsewhere.example.com"}
    telegram.write(ANNA, "hello")
    updates.read_updates()
    assert telegram.webhook is None
