"""Settings from the environment, and from files that it names; and how some kinds of values are read."""

import os
import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import environs
from marshmallow import ValidationError

MOST_PROCESSES = 64  # also the maximum of threads of each


class Environment(environs.Env):
    """X_FILE names a file that holds the value of X (Docker secrets).

    A missing or empty file is an error, and so is setting both X and X_FILE.
    """

    def _get_value(self, env_key: str, default: Any) -> Any:
        value = super()._get_value(env_key, default)
        if not (path := os.environ.get(f"{env_key}_FILE")):
            return value
        if os.environ.get(env_key):
            self._errors[env_key].append(f"{env_key}_FILE is set as well; set only one of them.")
            return default
        try:
            content = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            self._errors[env_key].append(f"{path} cannot be read: {getattr(error, 'strerror', 'not a text file')}.")
            return default
        if not content:
            self._errors[env_key].append(f"{path} is empty.")
        return content or default


def networks(text: str) -> list[str]:
    """Addresses and networks of proxies, such as 10.0.0.5 and 172.16.0.0/12."""
    return read_networks(text, danger="every client could forge its own")


def private_networks(text: str) -> list[str]:
    """Addresses and networks that webhooks may reach."""
    return read_networks(text, danger="webhooks could reach this machine")


def read_networks(text: str, *, danger: str) -> list[str]:
    named = [name.strip() for name in text.split(",") if name.strip()]
    try:
        found = [ip_network(name) for name in named]
    except ValueError as error:
        raise environs.EnvError(f"{error}.") from error
    if everybody := [str(network) for network in found if network.prefixlen == 0]:
        raise environs.EnvError(f"{everybody[0]} covers all addresses; {danger}.")
    return [str(network) for network in found]


def few(text: str) -> int | None:
    """Processes or threads; empty means that crm_router/server/gunicorn_conf.py chooses."""
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PROCESSES):
        raise environs.EnvError(f"{text} is not a number from 1 to {MOST_PROCESSES}.")
    return int(text) if text else None


def each(form: str, *, error: str) -> Callable[[list[str]], None]:
    """Requires this form of every entry of a list; the error names the first that has another."""

    def check(entries: list[str]) -> None:
        for entry in entries:
            if not re.fullmatch(form, entry):
                raise ValidationError(f"“{entry}” {error}")

    return check
