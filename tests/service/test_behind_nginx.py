"""Two instances behind the nginx of deploy/nginx: forged headers, refusals, and updates that fail no request."""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from core.api import problems
from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.nginx import Nginx
from tests.service.running import PATIENCE, Service, free_port, wait_until
from tests.service.test_slow_clients import SLOWLY, slow_clients

pytestmark = [pytest.mark.service, pytest.mark.nginx]

# The bots have no keys: whoever reaches nginx here is meant.
BEHIND = {"TRUSTED_PROXIES": "127.0.0.1", "API_KEYS": "open", "API_KEYS_OPEN_ANYWHERE": "true"}
HTTPS = {"TRUSTED_PROXIES": "127.0.0.1", "HTTPS": "true"}
TOKENS = ["first-instance-0123", "second-instance-012"]
SECONDS = float(os.environ.get("ROLLING_SECONDS") or 0)  # one update of each instance; 60 seconds of them by hand


@pytest.fixture(scope="module")
def instances(start_for_all: StartService) -> list[Service]:
    """As in production, with a database each."""
    return [start_for_all(METRICS_TOKEN=token, **HTTPS) for token in TOKENS]


@pytest.mark.once
def test_nginx_says_what_only_it_can_know(instances: list[Service], nginx: Callable[..., Nginx]) -> None:
    front = nginx(instances[0].address[1], free_port())
    headers = {"Authorization": f"Bearer {instances[0].new_key()}"}
    forged = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "::1"}
    answer, body = front.get("/api/v1/contacts?page_size=1", **headers, **forged)
    assert (answer.status, json.loads(body)["results"]) == (200, [])
    assert front.get("/metrics")[0].status == 404
    assert front.get("/docs")[0].status == 200


def refused(front: Nginx, method: str, path: str, size: int = 0, *, plain: bool = False) -> dict[str, Any]:
    """The problem document that comes back, and beside it its Retry-After. Asks from where slow clients do."""
    port = front.plain_port if plain else front.port
    here: dict[str, Any] = {"timeout": PATIENCE, "source_address": ("127.0.0.2", 0)}
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, **here)
        if plain
        else http.client.HTTPSConnection("127.0.0.1", port, context=front.trust, **here)
    ) as connection:
        connection.request(method, path, b" " * size, {"X-Request-ID": "bot-42:7f"})
        answer = connection.getresponse()
        document: dict[str, Any] = json.load(answer)
    assert answer.getheader("Content-Type") == "application/problem+json"
    assert answer.getheader("X-Request-ID") == "bot-42:7f"
    assert document == problems.problem_document(answer.status, document["code"], document["detail"])
    return document | {"retry_after": answer.getheader("Retry-After")}


@pytest.mark.once
def test_what_nginx_refuses_is_a_problem_document(nginx: Callable[..., Nginx]) -> None:
    front = nginx(free_port(), free_port())
    large = refused(front, "POST", "/api/v1/contacts/batch", 3_000_000)
    assert (large["status"], large["code"], large["retry_after"]) == (413, "too_large", None)
    away = refused(front, "POST", "/api/v1/contacts")
    assert (away["status"], away["code"], away["retry_after"]) == (502, "bad_gateway", "1")
    plain = refused(front, "POST", "/api/v1/contacts", plain=True)
    assert (plain["status"], plain["code"]) == (403, "https_required")


@pytest.mark.once
def test_what_proves_that_the_name_is_ours_is_found_on_port_80(nginx: Callable[..., Nginx]) -> None:
    front = nginx(free_port(), free_port())
    folder = front.folder / "crm-router-acme/.well-known/acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token").write_text("proof")
    with closing(http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/.well-known/acme-challenge/token")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"proof")


@pytest.mark.once
def test_api8_nginx_tells_no_version(nginx: Callable[..., Nginx]) -> None:
    """OWASP API Security Top 10 (2023)."""
    answer, page = nginx(free_port(), free_port()).get("/docs")
    assert (answer.status, answer.getheader("Server")) == (502, "nginx")
    assert b"nginx/" not in page


@pytest.mark.once
def test_who_has_too_many_connections_is_told_when_to_come_back(nginx: Callable[..., Nginx]) -> None:
    front = nginx(free_port(), free_port())
    begin, more = SLOWLY["a body"]
    with slow_clients(front, begin, more, count=101, addresses=1):
        answer = refused(front, "GET", "/api/v1/operators")
    assert (answer["status"], answer["code"], answer["retry_after"]) == (429, "throttled", "1")


@pytest.mark.once
def test_who_waits_in_vain_is_told_that_it_may_have_been_done(nginx: Callable[..., Nginx]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        front = nginx(silent.getsockname()[1], silent.getsockname()[1], read_timeout="1s")
        answer = refused(front, "POST", "/api/v1/contacts")
    assert (answer["status"], answer["code"], answer["retry_after"]) == (504, "gateway_timeout", "1")
    assert "Idempotency-Key" in answer["detail"]


@pytest.mark.once
def test_what_the_service_itself_answers_passes_as_it_is(instances: list[Service], nginx: Callable[..., Nginx]) -> None:
    service = instances[0]
    answer = refused(nginx(service.address[1], free_port()), "POST", "/api/v1/contacts", 10)
    assert (answer["status"], answer["code"]) == (401, "unauthenticated")
    wait_until(lambda: "request_id=bot-42:7f" in service.output(), "the log has the id that nginx has passed on")


def ask_one(port: int, path: str, token: str = "") -> int:
    """The port of one instance by itself, as deploy/compose.production.yaml publishes it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status


@pytest.mark.once
def test_each_instance_is_asked_for_its_metrics_by_itself_and_for_nothing_else(
    instances: list[Service], nginx: Callable[..., Nginx]
) -> None:
    ports = nginx(*(instance.address[1] for instance in instances)).alone
    for port, own, other in zip(ports, TOKENS, reversed(TOKENS), strict=True):
        assert [ask_one(port, "/metrics", token) for token in (own, other, "")] == [200, 401, 401]
        assert ask_one(port, "/health/ready") == 200
        assert {ask_one(port, path, own) for path in ("/", "/health", "/admin/", "/api/v1/operators")} == {404}


PHONE, EMAIL = "79995550123", "secret.person"
QUERY = f"phone=%2B{PHONE}&email={EMAIL}%40example.com"


@pytest.mark.once
def test_queries_referers_and_programs_are_in_neither_log_of_nginx(nginx: Callable[..., Nginx]) -> None:
    """Nobody answers here, so that the log of errors has its say as well."""
    front = nginx(free_port(), free_port())
    told = {"Referer": f"https://crm.example.com/?{QUERY}", "User-Agent": PHONE}
    assert front.get(f"/api/v1/leads?{QUERY}", **told, **{"X-Request-ID": "bot-42:7f"})[0].status == 502
    for port in (front.plain_port, *front.alone):
        ask_one(port, f"/health/ready?{QUERY}")
    [line] = wait_until(lambda: front.logged("bot-42:7f"), "the request is logged")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/leads", "502")
    assert line["upstream_status"] == "502, 502"
    assert [piece for piece in (PHONE, EMAIL, "127.0.0.1,") if piece in front.log()] == []


def guess(front: Nginx, path: str, *, times: int, method: str = "POST", by: str = "127.0.0.1") -> list[int]:
    """What so many attempts from this address are answered with, on one connection."""
    here: dict[str, Any] = {"timeout": PATIENCE, "context": front.trust, "source_address": (by, 0)}
    with closing(http.client.HTTPSConnection(*front.address, **here)) as connection:
        answers = []
        for _ in range(times):
            connection.request(method, path)
            answer = connection.getresponse()
            assert b"<html>" in answer.read()  # a person reads it
            answers.append(answer.status)
        return answers


@pytest.mark.once
def test_one_time_links_are_not_in_its_log(nginx: Callable[..., Nginx]) -> None:
    front = nginx(free_port(), free_port())
    for number, path in enumerate(("invitation/SECRET", "password/MQ/SECRET")):
        front.get(f"/admin/{path}/", **{"X-Request-ID": f"one-time-link-{number}"})
        [line] = wait_until(partial(front.logged, f"one-time-link-{number}"), "the request is logged")
        assert line["path"] == f"/admin/{path.partition('/')[0]}/"
    assert "SECRET" not in front.log()


@pytest.mark.once
@pytest.mark.parametrize(
    "path",
    ["/admin/login/", "/admin/two-factor/code/?next=/admin/", "/admin/invitation/x/", "/admin/password/forgotten/"],
)
def test_who_guesses_passwords_and_codes_is_held_up_and_nobody_else(nginx: Callable[..., Nginx], path: str) -> None:
    front = nginx(free_port(), free_port())  # nobody there: 502 is what has passed nginx
    guesses = guess(front, path, times=60)
    assert guesses[:40] == [502] * 40, "an office signs in"
    assert guesses.count(429) >= 10
    assert guess(front, path, times=60, method="GET") == [502] * 60
    assert guess(front, path, times=1, by="127.0.0.2") == [502]
    assert guess(front, "/admin/leads/lead/", times=60) == [502] * 60


def wait_until_at_work(crowd: Bots) -> None:
    crowd.pause = 0
    known = crowd.answered()
    wait_until(lambda: crowd.answered() > known + 20, "the bots are at work")


def rolled(old: Service, start: StartService, crowd: Bots) -> Service:
    """Stops one generation of an instance under load, and starts the next one in its place."""
    wait_until_at_work(crowd)
    assert old.stop() == 0
    crowd.pause = 0.2
    return start(**BEHIND, WEB_CONCURRENCY="2", PORT=old.env["PORT"]).wait_until_up()


@pytest.mark.postgresql
@pytest.mark.usefixtures("prepares")
def test_an_update_of_one_instance_after_the_other_fails_no_request(
    start: StartService, nginx: Callable[..., Nginx]
) -> None:
    both = {**BEHIND, "WEB_CONCURRENCY": "2"}
    instances = [start("--prepared", **both, PORT=str(free_port())).wait_until_up() for _ in range(2)]
    front = nginx(*(instance.address[1] for instance in instances))
    source = instances[0].roster(operators=10, limit=100)
    crowd = Bots(front.address, source, total=1_000_000, pause=0.02, trust=front.trust).start()
    begun, updates = time.monotonic(), 0
    while time.monotonic() < begun + SECONDS or updates < 2:
        instances[updates % 2] = rolled(instances[updates % 2], start, crowd)
        updates += 1
    wait_until_at_work(crowd)
    crowd.stop()

    print(f"{len(crowd.contacts)} contacts, {updates} updates, {time.monotonic() - begun:.0f} s")
    assert (crowd.refused, crowd.dropped, crowd.others) == (0, 0, []), front.log()
    assert all_contact_ids(instances[0].get) == {contact["id"] for contact in crowd.contacts}
    assert instances[0].findings() == []
