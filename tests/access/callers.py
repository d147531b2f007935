"""Who calls the API in these tests, each with the key that fits."""

from typing import Any

from rest_framework.test import APIClient

from access import keys
from access.keys import NewKey
from access.models import ApiKey
from routing.models import Source
from tests import characters


def key(source: Source | None = None, **fields: Any) -> NewKey:
    return keys.make_key(name="Bot" if source else "Office", source=source, **fields)


def recognised(secret: str) -> ApiKey:
    """The key, which must be valid."""
    found = keys.find_live_key(secret)
    assert found
    return found


def with_key(secret: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def office(**fields: Any) -> APIClient:
    """Holds a management key."""
    return with_key(key(**fields).secret)


def bot(source: Source, **fields: Any) -> APIClient:
    """Holds the key of this source."""
    return with_key(key(source, **fields).secret)


def somebody_at(source: Source) -> dict[str, Any]:
    """The body of a registration."""
    return {"source_id": source.pk, "lead_phone": characters.somebody_new()}
