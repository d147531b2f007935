from itertools import product
from typing import Any

import pytest
from django.urls import get_resolver

from core.ids import LARGEST


def routes():
    """Every API route that names an id, with the largest id that fits and one that does not."""
    patterns: list[Any] = get_resolver().url_patterns
    api = next(pattern for pattern in patterns if str(pattern.pattern) == "api/v1/")
    return [str(pattern.pattern) for pattern in api.url_patterns if "<" in str(pattern.pattern)]


@pytest.mark.parametrize("route", routes())
def test_no_id_however_large_is_more_than_a_404(api, route):
    for number, method in product([LARGEST, LARGEST + 1, 10**30], ["get", "post", "patch", "put", "delete"]):
        path = "/api/v1/" + "/".join(str(number) if part.startswith("<") else part for part in route.split("/"))
        body = [] if method == "put" else {"operator_id": LARGEST, "is_resolved": True}
        assert getattr(api, method)(path, body).status_code in (400, 404, 405), f"{method} {path}"
