"""Whatever dies between the commit and the answer, sending again makes nothing twice and loses nothing."""

import http.client
import json
import os
import signal
import sys
import threading
from typing import Any

import pytest

from tests.service.running import PATIENCE, Service, run, wait_until

pytestmark = pytest.mark.service

# A worker that is killed at the moment when it would begin to answer.
DIES_BEFORE_ANSWERING = """
import io, json, os, signal, sys
from crm_router.wsgi import application

body = sys.argv[1].encode()
asked = {
    "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/contacts", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost",
    "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "HTTP_IDEMPOTENCY_KEY": "k1",
    "wsgi.input": io.BytesIO(body), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
}
application(asked, lambda *answer: os.kill(os.getpid(), signal.SIGKILL))
"""


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
    crashed = run(sys.executable, "-c", DIES_BEFORE_ANSWERING, json.dumps(body), env=service.env | {"API_KEYS": "open"})
    assert crashed.returncode == -signal.SIGKILL, crashed.stderr
    answer, contact = post(service, "/contacts", body, **{"Idempotency-Key": "k1"})
    assert (answer.status, answer.headers["Idempotent-Replayed"]) == (201, "true")
    assert [found["id"] for found in service.get(f"/api/v1/contacts?source_id={bot}")[1]["results"]] == [contact["id"]]


def test_a_batch_that_is_cut_short_leaves_whole_contacts_and_can_be_sent_again(service):
    bot = service.roster(operators=3, limit=100)
    items = [{"source_id": bot, "lead_phone": f"+7999{n:07d}", "idempotency_key": f"k{n}"} for n in range(500)]

    def send_and_be_cut_off():
        try:
            post(service, "/contacts/batch", {"contacts": items})
        except (OSError, http.client.HTTPException):
            cut_off.set()

    cut_off = threading.Event()
    sending = threading.Thread(target=send_and_be_cut_off)
    sending.start()
    wait_until(lambda: service.get(f"/api/v1/contacts?source_id={bot}")[1]["results"], "the batch has begun")
    for worker in service.workers():
        os.kill(worker, signal.SIGKILL)
    sending.join(PATIENCE)
    assert cut_off.is_set()
    assert service.findings() == []
    _, body = post(service.wait_until_up(), "/contacts/batch", {"contacts": items})
    assert {result["status"] for result in body["results"]} == {201}
    assert 0 < sum(result.get("replayed", False) for result in body["results"]) < 500
    assert service.findings() == []
