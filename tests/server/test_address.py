"""Where the service cannot listen, and what is said about it."""

import socket

import pytest

from crm_router.server import address

pytestmark = pytest.mark.once


@pytest.fixture
def taken(monkeypatch):
    """A machine on which somebody listens on every port."""
    monkeypatch.setattr(socket.socket, "bind", socket_in_use)


def socket_in_use(*_):
    raise OSError(98, "Address already in use")


@pytest.mark.parametrize("port", [8000, 8001, 8002])
def test_the_port_that_is_taken_is_not_the_one_to_take(taken, port):
    said = str(address.bind_obstacle(address.Address("127.0.0.1", port)))
    assert said.startswith(f"Port {port} on 127.0.0.1 is taken.")
    assert f"PORT={port} " not in said
