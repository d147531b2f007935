"""Makes every error a problem document (RFC 9457): DRF's errors, Django's errors, and domain refusals.

`detail` is in the caller's language (`core.api.language`), `title` always in English.
"""

import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse, UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

from core import request_context
from core.api.language import VARY
from core.db.faults import Fault, fault_of
from core.errors import Busy, Conflict, Invalid, Refusal, Reused, Unknown

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 1  # seconds

STATUS = {
    Invalid: 400,
    Unknown: 404,
    Conflict: 409,
    Reused: 422,
    Busy: 503,
    UnreadablePostError: 400,
    PermissionDenied: 403,
    Http404: 404,
    RequestDataTooBig: 413,
}


class Words(NamedTuple):
    """Title, code and detail of a status, for errors without their own code or detail."""

    code: str
    title: str
    detail: str | Promise


# Titles are those of RFC 9110; Python's own changed between versions.
WORDS = {
    400: Words("malformed", "Bad Request", gettext_lazy("The request cannot be read.")),
    401: Words("unauthenticated", "Unauthorized", gettext_lazy("A valid key is required.")),
    403: Words("forbidden", "Forbidden", gettext_lazy("This is not allowed.")),
    404: Words("not_found", "Not Found", gettext_lazy("Not found.")),
    405: Words("method_not_allowed", "Method Not Allowed", gettext_lazy("This path does not support this method.")),
    409: Words("conflict", "Conflict", gettext_lazy("The present state does not allow this.")),
    413: Words("too_large", "Content Too Large", gettext_lazy("The body is too large.")),
    415: Words("unsupported_media_type", "Unsupported Media Type", gettext_lazy("The body must be application/json.")),
    422: Words("unprocessable", "Unprocessable Content", gettext_lazy("The request contradicts an earlier one.")),
    429: Words("throttled", "Too Many Requests", gettext_lazy("Too many requests. Please try again later.")),
    500: Words("internal", "Internal Server Error", gettext_lazy("The service failed.")),
    503: Words(
        "unavailable", "Service Unavailable", gettext_lazy("The database cannot be reached. Please try again later.")
    ),
}


FAULTS: dict[Fault, str | Promise] = {
    Fault.BUSY: gettext_lazy("The database took too long. Please try again."),
    Fault.FULL: gettext_lazy("The database has no space left. Nothing was stored."),
    Fault.READ_ONLY: gettext_lazy("The database takes no changes now. Nothing was stored; please try again later."),
    Fault.SCHEMA: gettext_lazy("The tables of the database do not fit this version of the service."),
    Fault.INCOMPLETE: gettext_lazy("The database was not completely restored. Nothing was stored. Try again later."),
    Fault.UNAVAILABLE: WORDS[503].detail,
}


def problem_document(
    status: int, code: str = "", detail: str = "", errors: Sequence[dict[str, str]] = ()
) -> dict[str, str | int | list[dict[str, str]]]:
    """A problem document; code and detail default to those of the status."""
    usual = WORDS.get(status) or standard_words(status)
    code = code or usual.code
    return {
        "type": f"urn:crm-lead-router:problem:{code}",
        "title": usual.title,
        "status": status,
        "detail": as_sentence(detail or str(usual.detail)),
        "code": code,
        "errors": list(errors),
    }


def standard_words(status: int) -> Words:
    """Words for a status that only the HTTP server sends, such as 431."""
    phrase = HTTPStatus(status).phrase
    return Words(phrase.lower().replace(" ", "_"), phrase, f"{phrase}.")


def incident_document(what: str) -> dict[str, Any]:
    """The document for an internal error, without details: the log has `what` and the traceback by request id."""
    number = request_context.current_request_id() or uuid.uuid4().hex
    log.error("Incident %s: %s", number, what, exc_info=True)
    return problem_document(500, detail=_("The service failed; incident %(id)s is in the log.") % {"id": number})


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Returns None for an internal error, which Django logs and answers with 500."""
    if isinstance(exception, exceptions.APIException):
        document = describe_api_exception(exception)
        headers = VARY | dict(getattr(exception, "headers", {}))
        if auth_header := getattr(exception, "auth_header", ""):
            headers["WWW-Authenticate"] = auth_header
        if isinstance(exception, exceptions.MethodNotAllowed):
            headers["Allow"] = ", ".join(context["view"].allowed_methods)
        if isinstance(exception, exceptions.Throttled):
            headers["Retry-After"] = str(getattr(exception, "wait", None) or RETRY_AFTER)
        return Response(document, status=exception.status_code, headers=headers, content_type=MEDIA_TYPE)
    fault = fault_of(exception)
    status = 503 if fault else next((status for kind, status in STATUS.items() if isinstance(exception, kind)), None)
    if status is None:
        return None
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.error("Answered 503", exc_info=exception)
    if fault:
        document = fault_document(fault)
    elif isinstance(exception, Refusal):
        document = describe_refusal(exception, status)
    else:
        document = problem_document(status, detail=str(exception) if isinstance(exception, Http404) else "")
    headers = VARY | ({"Retry-After": str(RETRY_AFTER)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {})
    return Response(document, status=status, headers=headers, content_type=MEDIA_TYPE)


def fault_document(fault: Fault) -> dict[str, Any]:
    return problem_document(503, fault.value, str(FAULTS[fault]))


def describe_refusal(refusal: Refusal, status: int) -> dict[str, Any]:
    errors = [{"field": error.field, "code": error.code, "detail": error.detail} for error in refusal.errors]
    return problem_document(status, refusal.code, refusal.detail, errors)


def describe_api_exception(exception: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exception, exceptions.ValidationError):
        errors = list(flatten(exception.detail))
        fields = " ".join(f"{error['field']}: {error['detail']}" for error in errors)
        return problem_document(400, "invalid", fields, errors)
    code = "malformed" if isinstance(exception, exceptions.ParseError) else str(exception.default_code)
    return problem_document(exception.status_code, code, str(exception.detail))


def flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Converts DRF's nested errors to a list: {"contacts": [{"name": ["..."]}]} gets the field contacts.0.name."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            whole = key == "non_field_errors"
            yield from flatten(inner, path if whole else f"{path}.{key}".strip("."))
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        for index, inner in enumerate(detail):
            yield from flatten(inner, f"{path}.{index}".strip("."))
    elif isinstance(detail, list):
        for item in detail:
            yield from flatten(item, path)
    else:
        yield {"field": path or "body", "code": getattr(detail, "code", "invalid"), "detail": as_sentence(str(detail))}


def as_sentence(text: str) -> str:
    """Adds a missing full stop, as in some messages of DRF and of Python's JSON parser."""
    return encodable(text if text.endswith((".", "!", "?")) else f"{text}.")


def encodable(text: str) -> str:
    """Replaces lone surrogates, which JSON input can contain and errors may quote, but UTF-8 cannot encode."""
    return text.encode(errors="replace").decode()


def to_bytes(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


class ProblemResponse(HttpResponse):
    """`data` is the document, as in DRF's responses."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(to_bytes(document), status=document["status"], content_type=MEDIA_TYPE, headers=VARY)
        self.data = document


def problem_response(document: dict[str, Any]) -> HttpResponse:
    """The response for errors outside DRF: unknown paths, unknown hosts, internal errors."""
    return ProblemResponse(document)
