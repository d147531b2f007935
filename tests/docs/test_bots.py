"""The bot of docs/api.md in Python, run as it stands against the service, on a line that loses answers."""

import os
import subprocess
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from routing.models import Contact
from tests import characters
from tests.docs import documents

pytestmark = pytest.mark.django_db(transaction=True)

LOSES_THE_ANSWER, IS_BUSY, PASSES_IT_ON = range(3)


@pytest.fixture
def bot(tmp_path):
    [code] = [text for text in documents.programs(documents.DOCS / "api.md") if text.startswith('"""bot.py ')]
    file = tmp_path / "bot.py"
    file.write_text(code)

    def run(router, *arguments):
        environment = {"PATH": os.environ["PATH"], "ROUTER": router}
        command = [sys.executable, str(file), *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def bad_line(live_server):
    """The address of a line to the service, and what it does to the calls that follow; afterwards it passes all on."""
    ahead: list[int] = []

    class Line(BaseHTTPRequestHandler):
        def do_POST(self):
            state = ahead.pop(0) if ahead else PASSES_IT_ON
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if state == IS_BUSY:
                self.send_response(503)
                self.send_header("Retry-After", "0")
                self.end_headers()
                return
            service = HTTPConnection(urlsplit(live_server.url).netloc)
            service.request("POST", self.path, body, dict(self.headers))
            answer = service.getresponse()
            content = answer.read()
            service.close()
            if state == LOSES_THE_ANSWER:
                return
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Line)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", ahead
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_bot_prints_who_answers(bot, live_server):
    anna = characters.operator("Anna")
    telegram = characters.source(roster={anna: 10})
    said = bot(live_server.url, telegram.pk, "chat-42", 7, "Hello")
    contact = Contact.objects.get()
    assert said.stdout == f"contact {contact.pk} operator {anna.pk} assigned\n", said.stderr
    assert contact.message == "Hello"


def test_the_bot_repeats_until_it_has_an_answer_and_the_message_is_stored_once(bot, bad_line):
    router, ahead = bad_line
    ahead += [LOSES_THE_ANSWER, IS_BUSY, LOSES_THE_ANSWER]
    telegram = characters.source()
    said = bot(router, telegram.pk, "chat-42", 7, "Hello")
    assert said.stdout == f"contact {Contact.objects.get().pk} operator None waiting\n", said.stderr


def test_the_bot_does_not_repeat_what_is_refused(bot, live_server):
    said = bot(live_server.url, 999, "chat-42", 7, "Hello")
    assert said.returncode == 1
    assert "HTTP Error 404" in said.stderr


def test_the_bots_are_short():
    code = [it.text for it in documents.blocks(documents.DOCS / "api.md") if it.language in ("python", "typescript")]
    assert len(code) == 3
    assert all(len(text.splitlines()) <= 30 for text in code)
