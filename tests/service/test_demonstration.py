"""The whole of it, with real processes and sockets: a contact waits, a place is freed, and everybody is told."""

import json
import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User

from operators.models import Operator
from tests.notifications.messenger import fake_telegram
from tests.notifications.messenger.fake_telegram import FakeTelegram
from tests.notifications.webhooks import endpoints
from tests.notifications.webhooks.endpoints import Endpoint
from tests.service import database
from tests.service.conftest import StartService
from tests.service.running import Service, wait_until

pytestmark = pytest.mark.service

ANNA = 1001  # her chat with the bot
PASSWORD = "correct horse battery"


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram() as server:
        yield server


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """The bot's own server."""
    with endpoints.serving() as one:
        yield one


@pytest.fixture
def service(start: StartService, telegram: FakeTelegram) -> Service:
    settings = {"TELEGRAM_BOT_TOKEN": fake_telegram.TOKEN, "TELEGRAM_API_URL": telegram.url}
    return start(WEBHOOK_PRIVATE_NETWORKS="127.0.0.0/8", LANGUAGE_CODE="en", **settings).wait_until_up()


def call(service: Service, method: str, path: str, body: object = None) -> Any:
    status, answer = service.call(method, f"/api/v1{path}", body)
    assert status < 400, answer
    return answer


def link_chat(service: Service, telegram: FakeTelegram, operator: int) -> None:
    link = call(service, "POST", f"/operators/{operator}/telegram-link", {})
    telegram.write(ANNA, f"/start {link['url'].partition('start=')[2]}")
    telegram.wait_until(lambda: telegram.messages(ANNA))  # it says that it is linked


def told(endpoint: Endpoint, contact: int) -> list[str]:
    """The types of the events that the bot was sent about this contact."""
    return types([json.loads(request.body) for request in list(endpoint.received)], contact)


def types(events: list[dict[str, Any]], contact: int) -> list[str]:
    of_contacts = [event for event in events if event["type"].startswith("contact.")]
    return [event["type"] for event in of_contacts if event["data"]["id"] == contact]


def shown(telegram: FakeTelegram, contact: int) -> dict[str, Any] | None:
    """Anna's message about the contact, which has its number in the buttons."""
    for message in telegram.messages(ANNA):
        if f":{contact}" in json.dumps(message.get("reply_markup", {})):
            return message
    return None


def make_account(service: Service) -> None:
    with database.default_at(service.env["DATABASE_URL"]):
        hasher = PBKDF2PasswordHasher()  # the tests' own is for tests only
        user = User(username="anna", password=hasher.encode(PASSWORD, hasher.salt()), is_staff=True)
        user.save()
        user.groups.set(Group.objects.filter(name="Operator"))
        Operator.objects.filter(name="Anna").update(user=user)


def signed_in(service: Service) -> OpenerDirector:
    make_account(service)
    browser = build_opener(HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{address(service)}/admin/login/").read().decode()
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page))
    form = urlencode({"username": "anna", "password": PASSWORD, "csrfmiddlewaretoken": token})
    browser.open(f"{address(service)}/admin/login/", form.encode()).close()
    return browser


def address(service: Service) -> str:
    return f"http://127.0.0.1:{service.env['PORT']}"


def test_a_waiting_contact_gets_a_place_and_everybody_is_told(
    service: Service, telegram: FakeTelegram, endpoint: Endpoint
) -> None:
    anna = service.post("/operators", {"name": "Anna", "max_load": 1})["id"]
    bot = service.post("/sources", {"name": "Telegram Bot"})["id"]
    service.post(f"/sources/{bot}/operators", {"operator_id": anna})
    link_chat(service, telegram, anna)
    service.post("/webhooks", {"url": endpoint.url, "source_id": bot})
    first = service.post("/contacts", {"source_id": bot, "lead_phone": "+79990000001"})["id"]

    waiting = service.post("/contacts", {"source_id": bot, "lead_phone": "+79990000002", "message": "Price?"})
    assert (waiting["assignment"]["status"], waiting["assignment"]["position"]) == ("waiting", 1)
    contact = waiting["id"]
    wait_until(lambda: told(endpoint, contact) == ["contact.registered", "contact.queued"], "the bot knows it waits")

    call(service, "POST", f"/contacts/{first}/resolve", {})
    wait_until(lambda: told(endpoint, contact)[2:] == ["contact.assigned"], "the bot knows who has it")
    message = wait_until(lambda: shown(telegram, contact), "Anna has a message")
    assert "Price?" in message["text"]

    query = telegram.press(ANNA, message["message_id"], f"take:{contact}")
    wait_until(lambda: telegram.answers.get(query), "the button is answered")
    assert telegram.answers[query]["text"] == "You have taken it."
    wait_until(lambda: told(endpoint, contact)[3:] == ["contact.accepted"], "the bot knows that it was taken")
    wait_until(lambda: "Take" not in json.dumps(shown(telegram, contact)), "the message offers it no more")
    assert call(service, "GET", f"/contacts/{contact}")["assignment"]["accepted_at"]
    lines = [line["what"] for line in call(service, "GET", f"/contacts/{contact}/history")]
    assert lines == ["registered", "dequeued", "accepted"]
    events = call(service, "GET", f"/events?after=0&source_id={bot}")["events"]
    assert types(events, contact) == told(endpoint, contact)
    own = signed_in(service).open(f"{address(service)}/admin/").read().decode()
    assert f"/admin/my-contacts/{contact}/resolve/" in own
    assert f"/admin/my-contacts/{contact}/take/" not in own
