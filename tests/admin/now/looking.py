"""What the page *Now* shows, made for this look."""

from typing import Any

from django.core.cache import cache
from django.test import Client


def context(client: Client) -> Any:
    """The context of the page and of its live part."""
    cache.clear()
    return client.get("/admin/").context
