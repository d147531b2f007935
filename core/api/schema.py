"""Adds to the OpenAPI schema what it cannot take from the code: errors, summaries, and which fields are always sent."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from drf_spectacular import openapi
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import Direction
from rest_framework import serializers
from rest_framework.fields import empty

from core.api import problems
from core.api.problems import problem_document

# Otherwise each start looks for the library GDAL with three dozen processes, a tenth of its processor time. There is no
# setting for it in drf-spectacular 0.30.
DjangoFilterExtension._has_gis = False  # type: ignore[attr-defined]

TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `detail` is a readable sentence, `code` is for programs, `errors` names every bad field.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "code": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {"field": TEXT, "code": TEXT, "detail": TEXT},
            },
        },
    },
}

TITLES = {
    400: "Malformed or invalid",
    401: "No key, or an invalid one",
    403: "The key is for another source, or may not do this",
    404: "No such source, operator, lead or contact",
    409: "The state does not allow it",
    413: "The body is too large",
    415: "Not JSON",
    422: "The idempotency key has been used with another body",
    429: "Too many calls with this key; `Retry-After` says when to try again",
    500: "An internal fault; the log has the incident",
    503: "Busy, or the database cannot be reached or cannot store anything now; `Retry-After` says when to try again",
}


class AutoSchema(openapi.AutoSchema):
    def get_summary(self) -> str:
        """The first sentence of the description, for operations without a summary of their own."""
        first = re.split(r"\.(?:\s|$)", self.get_description(), maxsplit=1)[0]
        return " ".join(first.split())


class PlainFields(OpenApiSerializerExtension):  # type: ignore[no-untyped-call] # drf-spectacular has no types
    """Says of each field whether it is sent, in terms that generators of clients understand.

    Answers have every field, also those that a request may leave out because they have a default. Only fields declared
    with `required=False` and no default may be missing. Defaults are told in words: clients would send them, also with
    a PATCH, which then changed what nobody had asked for; or they would demand the field.
    """

    target_class = serializers.Serializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        for field in schema["properties"].values():
            if alternatives := field.pop("oneOf", None):  # a text, or a blank one: clients would get a class for both
                field |= alternatives[0]
                field.pop("minLength", None)
            default = field.pop("default", None)
            if direction == "request" and not self.target.partial and default not in (None, ""):
                words = [field.get("description", ""), f"Default: {json.dumps(default)}."]
                field["description"] = " ".join(filter(None, words))
        if direction == "response":
            for field in schema["properties"].values():
                field.pop("pattern", None)  # what is stored is answered, whatever the rule for new names is
            fields = self.target.fields
            schema["required"] = sorted(name for name in schema["properties"] if is_always_sent(fields[name]))
        return schema


def is_always_sent(field: Any) -> bool:
    return field.required or field.read_only or field.default is not empty


def about_field(status: int, code: str, field: str, detail: str) -> dict[str, Any]:
    return problem_document(status, code, detail, [{"field": field, "code": code, "detail": detail}])


too_big = "Ensure this value is less than or equal to 100."
EXAMPLES = [
    problem_document(400, detail="The body is not valid JSON: it cannot be read from line 1, column 1 on."),
    problem_document(
        400, "invalid", f"max_load: {too_big}", [{"field": "max_load", "code": "max_value", "detail": too_big}]
    ),
    problem_document(401, detail="This key is not valid."),
    problem_document(403, detail="This key is for another source."),
    problem_document(404, detail="Source 7 does not exist."),
    about_field(409, "name_taken", "name", "Source “Telegram Bot” already exists."),
    about_field(409, "external_ref_taken", "external_ref", "Operator 2 has the external_ref “tg-1234567”."),
    about_field(
        409,
        "identity_taken",
        "phone",
        "+79991234567 belongs to lead 2. The two leads are marked as possible duplicates.",
    ),
    problem_document(409, "last_identity", "A lead must keep a phone, an e-mail or an id in a channel."),
    problem_document(
        409,
        "shared_by_others",
        "Other leads have +74951234567 too. Merge them into this lead or detach it there first.",
    ),
    problem_document(409, "nobody_else_free", "No other operator is free for contact 1. It stays where it is."),
    problem_document(409, "operator_inactive", 'Анна is off duty. Pass "force": true to assign anyway.'),
    problem_document(409, "operator_full", 'Анна is at the limit of 50. Pass "force": true to assign anyway.'),
    problem_document(409, "taken_away", "Борис has this contact now. Nothing was changed."),
    problem_document(409, "changed_since", "What change 1 has set was changed again since. Nothing was reverted."),
    problem_document(409, "not_revertible", "Change 1 cannot be reverted: key.created."),
    about_field(
        409,
        "overlaps",
        "from",
        "This overlaps absence 1, from 2026-12-28T06:00:00Z to 2027-01-11T06:00:00Z.",
    ),
    problem_document(409, "absence_over", "Absence 1 is over."),
    problem_document(409, "too_many_running", "Too many what-ifs are running. Please wait for one to end."),
    problem_document(409, "resolved", "Contact 1 is resolved. Reopen it first."),
    problem_document(409, "waiting", "Contact 1 waits in the queue: nobody has it."),
    problem_document(409, "same_lead", "Lead 1 cannot be merged with itself."),
    problem_document(409, "not_merged", "Lead 1 is not merged with another lead."),
    problem_document(409, "survivor_merged", "Lead 2 is merged into lead 3. Undo that merge first."),
    problem_document(409, "erased", "Lead 1 was erased; it cannot be changed."),
    about_field(409, "chat_taken", "address", "The chat belongs to Анна."),
    problem_document(409, "switched_off", "This webhook is switched off. Switch it on first."),
    problem_document(409, "telegram_off", "There is no bot: TELEGRAM_BOT_TOKEN is not set."),
    problem_document(409, "telegram_unreachable", "Telegram does not answer: Telegram cannot be reached (ReadTimeout)"),
    problem_document(413, detail="The body is larger than 512 KiB."),
    problem_document(415, detail='Unsupported media type "text/plain" in request.'),
    problem_document(
        422,
        "idempotency_key_reused",
        "The idempotency key “chat-42-message-7” was already used for a contact with another body.",
    ),
    problem_document(429, detail="Too many calls with this key. Try again in 5 seconds."),
    problem_document(500, detail="The service failed; incident 3f2a9c0d5b17 is in the log."),
    problem_document(503, "busy", "The service is too busy. Nothing was changed; please try again."),
    problem_document(503, detail="The database cannot be reached. Please try again later."),
]

# Which states forbid which operations, by the code of the refusal.
CONFLICTS = {
    "operators_create": ["external_ref_taken"],
    "operators_partial_update": ["external_ref_taken"],
    "operators_restore_create": ["external_ref_taken"],
    "absences_create": ["overlaps"],
    "absences_destroy": ["absence_over"],
    "changes_revert_create": ["changed_since", "not_revertible", "name_taken", "external_ref_taken"],
    "sources_create": ["name_taken"],
    "sources_partial_update": ["name_taken"],
    "sources_restore_create": ["name_taken"],
    "channels_replace": ["chat_taken"],
    "telegram_link_create": ["telegram_off", "telegram_unreachable"],
    "webhooks_replay_create": ["switched_off"],
    "leads_partial_update": ["identity_taken", "last_identity", "erased"],
    "leads_identities_partial_update": ["shared_by_others", "erased"],
    "leads_identities_destroy": ["last_identity", "erased"],
    "contacts_partial_update": ["erased"],
    "what_if_ask": ["too_many_running"],
    "leads_merge_create": ["same_lead", "erased"],
    "leads_unmerge_create": ["not_merged", "survivor_merged", "erased"],
    "contacts_accept_create": ["resolved", "taken_away", "waiting"],
    "contacts_decline_create": ["resolved", "taken_away", "waiting"],
    "contacts_resolve_create": ["taken_away"],
    "contacts_touch_create": ["resolved", "taken_away", "waiting"],
    "contacts_reassign_create": ["nobody_else_free", "operator_inactive", "operator_full", "resolved", "taken_away"],
}


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds to every operation the errors that it can answer with, each with an example."""
    components = result["components"]
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["examples"] = {example["code"]: {"value": example} for example in EXAMPLES}
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status in statuses(path, operation, components["schemas"]):
                operation["responses"].setdefault(str(status), response(status, operation))
    return result


def with_blank_parameters(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Allows blank query parameters, which forms send and the API treats as not given, except for a cursor of events:
    who has lost it would miss some."""
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in parameters(operation, "query"):
                parameter["allowEmptyValue"] = parameter["schema"].get("format") != "event-cursor"
    return result


def statuses(path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[int]:
    if "requestBody" in operation:
        yield from (400, 413, 415)
    elif any(parameters(operation, "query")) or has_header(operation, "X-Change-Reason"):
        yield 400
    if any(operation.get("security", [])):
        yield from (401, 403, 429)
    if "{" in path or names_another(operation, schemas) or operation["operationId"] == "report":
        yield 404
    if operation["operationId"] in CONFLICTS:
        yield 409
    if has_header(operation, "Idempotency-Key"):
        yield 422
    yield from (500, 503)


def has_header(operation: dict[str, Any], name: str) -> bool:
    return any(parameter["name"] == name for parameter in parameters(operation, "header"))


def parameters(operation: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    return (parameter for parameter in operation.get("parameters", []) if parameter["in"] == place)


def names_another(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether the body refers to another object by id, such as a source."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        component = media["schema"].get("$ref", "").rpartition("/")[2]
        if any(name.endswith("_id") for name in schemas.get(component, {}).get("properties", {})):
            return True
    return False


def response(status: int, operation: dict[str, Any]) -> dict[str, Any]:
    codes = CONFLICTS[operation["operationId"]] if status == 409 else codes_of(status)
    examples = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    schema = {"$ref": "#/components/schemas/Problem"}
    described = {
        "description": TITLES[status],
        "content": {problems.MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
    if status in (429, 503):
        described["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return described


def codes_of(status: int) -> Iterable[str]:
    return (example["code"] for example in EXAMPLES if example["status"] == status)
