"""What the API answers to, found in the URL patterns: whatever its schema, or a list in a test, may say or forget."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver

WITHOUT_OWN_CODE = {"head", "options"}  # HEAD is GET without its body, and OPTIONS is a 405


def endpoints() -> list[tuple[str, str]]:
    """Method and route of each, such as ("post", "api/v1/contacts/<id:pk>/resolve")."""
    return sorted(found(get_resolver().url_patterns))


def found(patterns: list[Any], before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if not isinstance(pattern, URLPattern):
            yield from found(pattern.url_patterns, route)
        elif route.startswith("api/"):
            yield from ((method, route) for method in methods(pattern.callback))


def methods(view: Any) -> set[str]:
    """Those that a view of DRF has code for and lets in."""
    actions = getattr(view, "actions", None)
    names = set(actions) if actions else {name for name in view.cls.http_method_names if hasattr(view.cls, name)}
    return names & set(view.cls.http_method_names) - WITHOUT_OWN_CODE
