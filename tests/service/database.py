"""The database of a service, asked by the process of the tests itself: a command takes a second to start."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, connections
from django.db.utils import load_backend

from access import keys
from access.models import ApiKey
from crm_router import databases
from leads.management.commands import check_routing
from routing.models import Source


@contextmanager
def default_at(url: str) -> Iterator[None]:
    """What this thread asks of the default database goes to the one at this URL, which is of the same kind."""
    asked = databases.database_settings(
        url=databases.parse_database_url(url), connect_timeout=30, network_timeout=30, behind_pooler=False
    )
    configured = connections.configure_settings({"default": asked})["default"]
    other = load_backend(configured["ENGINE"]).DatabaseWrapper(configured, "default")
    assert other.vendor == connection.vendor, "statements that were compiled for one kind do not work on another"
    usual = connections["default"]
    other.ensure_connection = lambda: None  # pytest-django keeps tests without its mark from the database of the tests
    other.connect()
    connections["default"] = other
    try:
        yield
    finally:
        connections["default"] = usual
        other.close()


def findings(url: str) -> list[str]:
    """What `manage.py check_routing` finds there."""
    with default_at(url):
        return check_routing.findings()


def new_key(url: str, *, source: int | None = None) -> str:
    """The secret of a new key, for management unless a source is named, as of `manage.py create_api_key`."""
    with default_at(url):
        return keys.make_key(name="Test", source=Source.objects.get(pk=source) if source else None).secret


def revoke_keys(url: str) -> None:
    with default_at(url):
        for key in ApiKey.objects.all():
            keys.revoke_key(key_id=key.pk)
