"""What the OpenAPI schema says beyond the API's own views: the introduction, the tags, and the pages without a key."""

from typing import Any

from crm_router import VERSION

INTRODUCTION = """\
Assigns each contact to an operator by weight, never above the operator's limit.

A bot sends each message of a client to `POST /api/v1/contacts`. The answer names the operator; `operator_id` is null
while nobody is free, and the contact waits in the queue.

**Keys.** `Authorization: Bearer <key>`. A source key registers contacts for its own source and reads those; a
management key does everything. A service on a loopback address may run without keys.

**Errors** are problem documents (RFC 9457), `application/problem+json`. `code` is for programs, `detail` is one
sentence for people, in the language of `Accept-Language` (English or Russian), `errors` names every bad field. An
error has changed nothing, but after 502, 504 and 503 `unavailable` the request may have been done. After 429 and 503
try again in `Retry-After` seconds.

**Sending a message again.** `POST /api/v1/contacts` with an `Idempotency-Key` may be repeated until there is an answer:
the same key and the same body are the same contact. The header `Idempotent-Replayed: true` marks a repeated answer.

**Ids** are integers that never change and are never used again. The id of a merged lead answers with the lead that it
was merged into.

**Form.** JSON in UTF-8; a body may be compressed with `Content-Encoding: gzip`. Moments are ISO 8601 in UTC with `Z`.
Unknown fields in a body are ignored. Every path works with and without a slash at its end. Lists with `next` come in
pages; all other lists are whole."""

TAGS = {
    "contacts": "Messages of clients: registered by bots, assigned by the rule, resolved by operators.",
    "leads": "Clients, recognised by phone, e-mail or id in a channel. Merged, corrected, exported, erased.",
    "operators": "The people who answer: duty, limit, load.",
    "sources": "Bots and channels, each with its roster of operators and their weights.",
    "events": "What has happened, for programs that cannot be called.",
    "changes": "Changes of configuration: who, when, which way and why; taken back.",
    "webhooks": "Programs that are called with each event, and what they answered.",
    "queue": "Contacts that wait.",
    "stats": "Who got how much, compared with what was expected.",
    "what-if": "What would have been with other weights, limits, another roster or strategy.",
    "service": "Needs no key: what runs here, and whether it is well.",
}

SETTINGS = {
    "TITLE": "CRM Lead Router",
    "DESCRIPTION": INTRODUCTION,
    "VERSION": VERSION,
    "TAGS": [{"name": name, "description": description} for name, description in TAGS.items()],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "integer", "format": "int64", "minimum": 1}},
    "COMPONENT_SPLIT_REQUEST": True,  # read-only fields are in every response, and in no request
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    # Generators of clients make no valid type of an enum whose only value is null.
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "WaitingReason": "routing.models.Contact.Waiting",
        "EventType": "notifications.event_data.TYPES",
        "ChannelEventType": "notifications.messenger.channels.EVENT_TYPES",
        "ContactStatus": "routing.models.Contact.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.schema.with_problems",
        "core.api.schema.with_blank_parameters",
        "crm_router.openapi.with_pages",
    ],
}


def with_pages(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds the views that are not the API's."""
    from core.api.schema import response  # the settings, which it needs, import this module

    ok = {"status": "ok"}
    ready = page("ready", "Whether the database answers and all migrations are applied", ok)
    ready["responses"]["503"] = response(503, ready)
    result["paths"] |= {
        "/": {
            "get": page(
                "root",
                "Name and version of the service",
                {"message": "CRM Lead Router", "docs": "/docs", "version": VERSION},
                "Answers with a page if the client prefers HTML, as browsers do.",
            )
        },
        "/health": {"get": page("health", "Whether the process answers", ok)},
        "/health/ready": {"get": ready},
    }
    return result


def page(name: str, summary: str, example: dict[str, str], more: str = "") -> dict[str, Any]:
    """A GET without a key, whose answer has these texts."""
    fields = {field: {"type": "string"} for field in example}
    body = {"type": "object", "properties": fields, "required": list(fields)}
    described = {"content": {"application/json": {"schema": body, "example": example}}, "description": ""}
    operation = {"operationId": name, "summary": summary, "description": f"{summary}. {more}".strip()}
    return operation | {"tags": ["service"], "security": [], "responses": {"200": described}}
