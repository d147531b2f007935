import pytest
from django.conf import settings

from core.api.parsers import json_depth

pytestmark = pytest.mark.once


def nested(levels: int) -> bytes:
    return b'{"name": "Anna", "max_load": 5, "more": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(("value", "levels"), [(1, 0), ([], 1), ({}, 1), ({"a": [1, {"b": []}]}, 4)])
def test_depth_counts_what_is_inside_what(value, levels):
    assert json_depth(value) == levels


def test_json_may_be_as_deep_as_the_setting_says(api):
    answer = api.generic("POST", "/api/v1/operators", nested(settings.MAX_JSON_DEPTH), "application/json")
    assert answer.status_code == 201


@pytest.mark.parametrize("beyond", [1, 100, 5_000])
def test_deeper_json_is_a_400_that_says_so(api, beyond):
    answer = api.generic("POST", "/api/v1/operators", nested(settings.MAX_JSON_DEPTH + beyond), "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["detail"] == "The JSON is nested too deeply (at most 20 levels)."
