"""The address on which the service listens."""

import errno
import ipaddress
import os
import socket
from typing import NamedTuple

from django.conf import settings

EVERYWHERE = ("0.0.0.0", "::")


class Address(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        """Host and port as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL for a browser on this machine."""
        return f"http://localhost:{self.port}" if self.host in EVERYWHERE else f"http://{self}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. False for names except localhost: what they resolve to may change."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def address_from_environment() -> Address:
    """HOST and PORT; by default only this machine can reach it. Raises ValueError if PORT is not a valid port."""
    host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError(f"PORT={port} is not a number from 1 to 65535.")
    return Address(host, int(port))


def bind_obstacle(address: Address) -> str | None:
    """Why the address cannot be bound, in one sentence; None if it can."""
    try:
        family, kind, _, _, target = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # Set by the server as well: connections of an earlier run in TIME_WAIT do not prevent binding.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            other = 8001 if address.port != 8001 else 8002
            return f"Port {address.port} on {address.host} is taken. Another one: PORT={other} scripts/serve"
        return f"Nobody can listen on {address}: {error.strerror}."
    return None


def open_to_others(address: Address) -> str | None:
    """Why the API must not be served there without keys, in one sentence; None if it may, or if keys are required.

    API_KEYS_OPEN_ANYWHERE states that access is restricted otherwise, such as by compose.yaml's published port.
    """
    if settings.API_KEYS != "open" or settings.API_KEYS_OPEN_ANYWHERE or address.is_loopback:
        return None
    return (
        f"API_KEYS=open on {address.host} would let everybody do everything who reaches it. "
        "Leave API_KEYS unset, or confirm it: API_KEYS_OPEN_ANYWHERE=true."
    )
