"""Whatever dies between the commit and the answer, sending again makes nothing twice and loses nothing."""

import http.client
import json
import signal
import sys
from typing import Any

import pytest

from tests.service.running import PATIENCE, Service, run

pytestmark = pytest.mark.service

# A worker that is killed at the moment when it would begin to answer, or in a batch, at the first contact that it would
# store after others are committed.
DIES = """
import io, json, os, signal, sys
from crm_router.wsgi import application
from django.db import connection, transaction

path, body, dies_in_a_batch = sys.argv[1], sys.argv[2].encode(), sys.argv[3] == "in a batch"
asked = {
    "REQUEST_METHOD": "POST", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
    "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_IDEMPOTENCY_KEY": "k1",
    "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
}
committed = []

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def store(execute, sql, *more):
    if dies_in_a_batch and sql.startswith('INSERT INTO "routing_contact" '):
        if committed:
            die()
        transaction.on_commit(lambda: committed.append(True))
    return execute(sql, *more)

with connection.execute_wrapper(store):
    application(asked, print if dies_in_a_batch else die)
"""


def send_and_die(service: Service, path: str, body: object, when: str) -> None:
    command = [sys.executable, "-c", DIES, f"/api/v1{path}", json.dumps(body), when]
    crashed = run(*command, env=service.env | {"API_KEYS": "open"})
    assert crashed.returncode == -signal.SIGKILL, crashed.stdout + crashed.stderr


def post(service: Service, path: str, body: object, **headers: str) -> tuple[http.client.HTTPResponse, Any]:
    connection = http.client.HTTPConnection(*service.address, timeout=PATIENCE)
    try:
        connection.request("POST", f"/api/v1{path}", json.dumps(body), {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        return answer, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def service(start_for_all):
    return start_for_all()


def test_a_crash_between_commit_and_answer_makes_no_second_contact(service):
    bot = service.roster(operators=1, limit=5)
    body = {"source_id": bot, "lead_phone": "+79990000001", "message": "Hello"}
    send_and_die(service, "/contacts", body, "before answering")
    answer, contact = post(service, "/contacts", body, **{"Idempotency-Key": "k1"})
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert [found["id"] for found in service.get(f"/api/v1/contacts?source_id={bot}")[1]["results"]] == [contact["id"]]


def test_a_batch_that_is_cut_short_leaves_whole_contacts_and_can_be_sent_again(service):
    bot = service.roster(operators=3, limit=100)
    items = [{"source_id": bot, "lead_phone": f"+7999{n:07d}", "idempotency_key": f"k{n}"} for n in range(500)]

    send_and_die(service, "/contacts/batch", {"contacts": items}, "in a batch")

    assert service.findings() == []
    _, body = post(service, "/contacts/batch", {"contacts": items})
    assert {result["status"] for result in body["results"]} == {201}
    assert 0 < sum(result.get("replayed", False) for result in body["results"]) < 500
    assert service.findings() == []
