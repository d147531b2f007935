"""Route and method labels from a fixed set: never the path or method as the client wrote it."""

import re
from functools import lru_cache

from django.http import HttpRequest

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
UNMATCHED = "unmatched"


def known_method(given: str | None) -> str:
    return given if given in METHODS else "OTHER"


def route_of(request: HttpRequest) -> str:
    """The route as in the API documentation, such as /api/v1/contacts/{pk}/resolve."""
    match = request.resolver_match
    return route_template(match.route) if match else UNMATCHED


@lru_cache(maxsize=1024)
def route_template(route: str) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
