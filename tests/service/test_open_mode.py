"""Where no key is needed, a proxy on this machine makes strangers look like local programs. What can be told apart is
refused; a real nginx shows what can, and what cannot."""

import http.client
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.service.nginx import AROUND, program
from tests.service.running import PATIENCE, Service, free_port, wait_until

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.once]

STOCK = ""  # "proxy_pass" and nothing else, which speaks HTTP/1.0 in the nginx of Debian 12
NEWER = "proxy_http_version 1.1;"  # what the newest nginx does of itself
PROXY_PARAMS = """
proxy_http_version 1.1;
proxy_set_header Host $http_host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;
"""  # /etc/nginx/proxy_params of Debian
NAMED = "proxy_http_version 1.1; proxy_set_header Host $host;"

LETS_IN = "proxy or a tunnel"
Through = Callable[..., tuple[int, Any]]


@pytest.fixture
def through(shared_service: Service, tmp_path: Path) -> Iterator[Through]:
    """Asks for the operators through an nginx with these lines beside its `proxy_pass`."""
    started: list[subprocess.Popen[bytes]] = []

    def ask(lines: str, **headers: str) -> tuple[int, Any]:
        port, folder = free_port(), tmp_path / "nginx"
        (folder / "conf.d").mkdir(parents=True)
        where = f"location / {{ {lines} proxy_pass http://127.0.0.1:{shared_service.address[1]}; }}"
        (folder / "conf.d/site.conf").write_text(f"server {{ listen 127.0.0.1:{port}; {where} }}")
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user="user root root;"))
        started.append(subprocess.Popen([program(), "-p", str(folder), "-c", str(folder / "nginx.conf")]))
        wait_until((folder / "pid").exists, "nginx has started")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/api/v1/operators", headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    yield ask
    for process in started:
        process.terminate()
        process.wait(PATIENCE)


@pytest.mark.parametrize(
    ("lines", "said"), [(STOCK, "HTTP/1.0"), (PROXY_PARAMS, "came through a proxy")], ids=["stock", "proxy_params"]
)
def test_what_comes_through_a_stock_proxy_needs_a_key(through: Through, lines: str, said: str) -> None:
    status, problem = through(lines)
    assert (status, problem["code"]) == (401, "unauthenticated")
    assert said in problem["detail"]


def test_who_has_a_key_may_come_through_a_stock_proxy(through: Through, shared_service: Service) -> None:
    key = shared_service.new_key()
    assert through(STOCK, Authorization=f"Bearer {key}")[0] == 200


def test_a_proxy_that_passes_a_foreign_name_on_is_refused(through: Through) -> None:
    status, problem = through(NAMED, Host="crm.example.com")
    assert (status, problem["code"]) == (400, "unknown_host")


def test_a_proxy_that_leaves_no_trace_is_let_in_as_the_documents_say(through: Through) -> None:
    """The reason why nobody should run without keys on a machine whose ports a proxy or a tunnel publishes."""
    assert through(NEWER)[0] == 200


def test_the_start_says_whom_it_lets_in(shared_service: Service) -> None:
    """tests/service/test_metrics.py has it in JSON, and test_keys.py that it is not said where keys are required."""
    assert LETS_IN in shared_service.output()


def test_old_http_without_a_key_is_refused_in_words(shared_service: Service) -> None:
    with socket.create_connection(shared_service.address, timeout=PATIENCE) as connection:
        connection.sendall(b"GET /api/v1/operators HTTP/1.0\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b" 401 " in answer.splitlines()[0]
    assert b"HTTP/1.0" in answer.rpartition(b"\r\n\r\n")[2]
