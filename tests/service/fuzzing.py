"""What schemathesis cannot know from the OpenAPI schema. It loads this module itself (fuzzing.toml)."""

from base64 import b64encode
from datetime import datetime, timedelta, timezone
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.jsonschema import make_validator
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

# JSON Schema cannot bound a moment. The calendar's first and last year are refused, as tests/api/test_errors.py shows.
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS)
EVENT_CURSORS = st.sampled_from(["0", "0-0-3-3-1795776000", "5-900-0-0-1795776000"])

schemathesis.openapi.format("date-time", MOMENTS.map(datetime.isoformat))
schemathesis.openapi.format("phone", st.sampled_from(["+79991234567", "8 999 123-45-67", "998901234567"]))
schemathesis.openapi.format("idn-email", st.sampled_from(["anna@example.com", "Борис@пример.рф"]))
schemathesis.openapi.format("country", st.sampled_from(["DE", "KZ", "RU", "US"]))
schemathesis.openapi.format("uri", st.sampled_from(["https://bot.invalid/crm", "http://bot.invalid:8080/?key=1"]))
schemathesis.openapi.format(
    "id-or-date-time", st.one_of(st.integers(1, 1000).map(str), MOMENTS.map(datetime.isoformat))
)
schemathesis.openapi.format("event-cursor", EVENT_CURSORS)
schemathesis.openapi.format("event-cursor-or-date-time", EVENT_CURSORS | MOMENTS.map(datetime.isoformat))
schemathesis.openapi.format("cursor", st.integers(1, 1000).map(lambda pk: b64encode(f"p={pk}".encode()).decode()))

LONG_WAITS = [str(seconds) for seconds in range(2, 26)]

# Bots write a chat's id as a number and a limit as text; what can only mean one thing is read as meant. The schema
# names the one spelling that we promise.
ALSO_READ: dict[str, dict[str, Any]] = {
    "string": {"type": ["string", "number"]},
    "integer": {"type": ["integer", "string"], "pattern": "^[0-9]+$"},
    "boolean": {"type": ["boolean", "number", "string"], "enum": [True, False, 0, 1, "0", "1", "true", "false"]},
}
# An identity that is too long or no phone at all is set aside if there is another one.
SET_ASIDE = ("lead_phone", "lead_email", "lead_external_id")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Shortens the wait for events, which would make up most of the run. tests/service/test_long_polls.py waits."""
    if case.query and str(case.query.get("wait")) in LONG_WAITS:
        case.query["wait"] = 1


@schemathesis.hook
def filter_failure(context: Any, failure: Failure, case: Any, response: Any) -> bool:
    match failure:
        case AcceptedNegativeData():
            return not is_read_as_meant(case)
        case RejectedPositiveData():
            return not has_cursor_of_another_order(case.query)
        case EnsureResourceAvailability():
            return not names_another(case.body)
    return True


def has_cursor_of_another_order(query: dict[str, Any]) -> bool:
    """The cursors made above are ids, and contacts of a period are ordered by moment."""
    return "cursor" in query and bool(query.keys() & {"created_after", "created_before"})


def names_another(body: Any) -> bool:
    """A 404 to a body that names an operator may be about that one; the tool takes it for what the path names."""
    parts = body if isinstance(body, list) else [body]
    return any(isinstance(part, dict) and any(name.endswith("_id") for name in part) for part in parts)


def is_read_as_meant(case: Any) -> bool:
    body = case.operation.get_body_for_media_type(case.media_type)
    if body is None:
        return False
    validator = make_validator(loosened(body.validation_schema), case.operation.schema.adapter.jsonschema_validator_cls)
    return bool(validator.is_valid(case.body))


def loosened(schema: Any) -> Any:
    if isinstance(schema, list):
        return [loosened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kind = schema.get("type")
    also = ALSO_READ.get(kind, {}) if isinstance(kind, str) else {}
    read = {name: {} if name in SET_ASIDE else loosened(part) for name, part in schema.items()} | also
    return {"anyOf": [read, {"const": ""}]} if schema.get("format") == "idn-email" else read  # blank is not given
