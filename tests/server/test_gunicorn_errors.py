"""What the server itself answers; tests/service shows it with the real one."""

import socket

from crm_router.server.gunicorn_errors import write_problem


def answer(status, reason, message):
    here, there = socket.socketpair()
    with here, there:
        write_problem(here, status, reason, message)
        return there.recv(65536).decode()


def test_a_fault_before_django_has_an_incident_in_the_log_and_no_internals(caplog):
    try:
        raise RuntimeError("secret internals")
    except RuntimeError:
        said = answer(500, "Internal Server Error", "")
    incident = said.split("incident ")[1].split()[0]
    assert "secret" not in said
    assert incident in caplog.text
    assert "secret internals" in caplog.text


def test_it_says_what_could_not_be_read_and_hangs_up():
    said = answer(414, "URI Too Long", "Request Line is too large (8192 > 4094)")
    assert said.startswith("HTTP/1.1 414 URI Too Long\r\nContent-Type: application/problem+json\r\n")
    assert "Connection: close\r\n" in said
    assert '"detail": "Request Line is too large (8192 > 4094)."' in said
