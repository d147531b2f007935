"""Metrics of the real service with two worker processes, and its log in JSON."""

import json
import math
import os
import re
import signal
import socket
from collections import Counter
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.service.bots import Bots
from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service, wait_until
from tests.service.test_open_mode import LETS_IN
from tests.service.test_unreadable import BAD_BODIES, send

pytestmark = [pytest.mark.service, pytest.mark.once]

TOKEN = "0123456789abcdef"
X_REQUEST_ID = re.compile(rb"\r\nX-Request-ID: (\S+)\r\n")
ROUNDED = 0.00005001  # seconds by which a duration in the log may differ
UNMATCHED = re.compile(r"crm_router_request_duration_seconds_count\{.*unmatched")
SHARED = {"WEB_CONCURRENCY": "2", "METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json"}


def scrape(service: Service) -> dict[str, float]:
    host, port = service.address
    request = Request(f"http://{host}:{port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    with urlopen(request, timeout=PATIENCE) as answer:
        told = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in told)}


def register(service: Service, source: int, total: int) -> None:
    crowd = Bots(service.address, source, total=total).start()
    crowd.join()
    assert len(crowd.contacts) == total


def registered(service: Service, source: int) -> float:
    return scrape(service)[f'crm_router_registrations_total{{outcome="assigned",source="{source}"}}']


def requests(service: Service) -> list[dict[str, object]]:
    told = [line for line in service.output().splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, told) if line["logger"] == "crm_router.requests"]


def kill_a_worker(service: Service) -> None:
    known = service.workers()
    os.kill(known[-1], signal.SIGKILL)
    wait_until(lambda: len(service.workers()) > len(known), "the killed worker is replaced")


def folders_of(pid: int) -> set[Path]:
    """The folders of metrics that a process has open."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {Path(found) for found in re.findall(r"(/\S+/crm-router-metrics-\w+)/", maps)}


@pytest.fixture(scope="module")
def service(start_for_all: StartService) -> Service:
    return start_for_all(**SHARED)


def test_the_counts_and_histograms_of_all_workers_are_added_up(service: Service) -> None:
    """Each request is also a line of log, with its duration, rounded, and the process that has answered it."""
    source = service.roster(operators=10, limit=100)
    register(service, source, 60)
    registering = [line for line in requests(service) if line.get("what") == "registered"]
    each = Counter(line["process"] for line in registering)
    assert len(each) == 2, "both workers were at work"
    seconds = [float(str(line["duration_ms"])) / 1000 for line in registering]

    told = scrape(service)

    assert registered(service, source) == each.total() == 60
    assert told["crm_router_requests_in_progress"] == 1  # the scrape itself
    name, labels = "crm_router_request_duration_seconds", 'method="POST",route="/api/v1/contacts",status="201"'
    assert told[f"{name}_count{{{labels}}}"] == 60
    assert told[f"{name}_sum{{{labels}}}"] == pytest.approx(sum(seconds), abs=60 * ROUNDED)
    for bound, number in buckets(told, name, labels):
        fewest = sum(taken + ROUNDED <= bound for taken in seconds)
        assert fewest <= number <= sum(taken - ROUNDED <= bound for taken in seconds)
    decisions = "crm_router_decision_duration_seconds"
    assert told[f"{decisions}_count"] == dict(buckets(told, decisions))[math.inf] == 60
    assert 0 < told[f"{decisions}_sum"] < sum(seconds)


def buckets(told: dict[str, float], name: str, labels: str = "") -> list[tuple[float, float]]:
    """Bound and number of each bucket of a histogram."""
    pattern = re.compile(rf'{name}_bucket{{(?=.*{re.escape(labels)}).*le="(.+?)"')
    found = [(float(match[1]), number) for line, number in told.items() if (match := pattern.match(line))]
    assert len(found) == 11
    return found


def test_what_dead_and_former_workers_counted_stays_and_a_start_begins_anew(start: StartService) -> None:
    service = start(**SHARED).wait_until_up()
    source = service.roster(operators=10, limit=100)
    register(service, source, 30)
    [folder] = folders_of(service.workers()[0])
    for _ in range(3):
        kill_a_worker(service)
    register(service, source, 30)
    assert registered(service, source) == 60
    assert scrape(service)["crm_router_requests_in_progress"] == 1
    assert len(list(folder.glob("counter_*.db"))) == 3, "two workers and the master, however many have died"

    known = len(service.workers())
    service.signal(signal.SIGHUP)
    wait_until(lambda: len(service.workers()) == known + 2, "the workers are replaced")
    register(service, source, 10)
    assert registered(service, source) == 70, "a reload goes on counting"

    assert service.stop() == 0
    assert not folder.exists()
    again = start(**SHARED).wait_until_up()
    assert f'crm_router_registrations_total{{outcome="assigned",source="{source}"}}' not in scrape(again)


def raw_request(service: Service, line: str) -> None:
    with socket.create_connection(service.address, timeout=PATIENCE) as connection:
        connection.sendall(line.encode())
        assert connection.recv(100)


def test_every_line_of_the_running_service_is_json_and_quotes_nobody(start: StartService) -> None:
    service = start(**SHARED, LOG_LEVEL="DEBUG").wait_until_up()
    source = service.roster(operators=1, limit=1)
    service.post("/contacts", {"source_id": source, "lead_phone": "+79995550123", "message": "secret"})
    service.get("/secret/+79995550123?phone=+79995550123")
    raw_request(service, "GET /+79995550123 secret\r\n\r\n")
    raw_request(service, "GET / HTTP/1.1\r\nHost: secret\r\nsecret 5550123: 1\r\n\r\n")
    raw_request(service, "GET / HTTP/1.1\r\nHost: secret.5550123\r\n\r\n")
    assert service.stop() == 0
    _, _, served = service.output().partition('{"timestamp"')
    told = [json.loads(line) for line in ('{"timestamp"' + served).splitlines()]
    assert {"gunicorn.error", "crm_router.requests"} <= {line["logger"] for line in told}
    assert "secret" not in service.output()
    assert "5550123" not in service.output()
    assert any("is ready on http://127.0.0.1" in line["event"] for line in told)
    assert any(LETS_IN in line["event"] for line in told)


def test_what_django_never_sees_is_told_and_counted_under_the_id_that_was_answered(service: Service) -> None:
    answers = {request: send(service, request) for request in BAD_BODIES}
    ids = {request: X_REQUEST_ID.findall(answer)[0].decode() for request, answer in answers.items()}
    told = {line["request_id"]: line["status"] for line in requests(service)}
    assert {request: told[ids[request]] for request in BAD_BODIES} == BAD_BODIES
    unmatched = [count for name, count in scrape(service).items() if UNMATCHED.match(name)]
    assert sum(unmatched) == len(BAD_BODIES)


def test_the_service_says_nothing_of_metrics_without_a_token(shared_service: Service) -> None:
    assert shared_service.get("/metrics")[0] == 404
