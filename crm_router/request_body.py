"""Bounds the request's body before anybody reads it, whether its length was announced or not."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from crm_router.insight import requests
from crm_router.wire import problems

# JSON is UTF-8, whatever a client says; Django would look for its codec, and some of those are no encodings of text.
CHARSET = re.compile(r""";\s*charset=("[^"]*"|[^;]*)""", re.IGNORECASE)

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_bounded_body(application: Application) -> Application:
    """Answers 413 to bodies beyond MAX_BODY_BYTES, and lets Django see bodies sent in chunks, which it would ignore."""

    def bounded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        limit = settings.MAX_BODY_BYTES
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(limit + 1)
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        announced = environ.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal():
            return refuse(environ, start_response, problems.problem(400, detail="Content-Length must be a number."))
        if int(announced) > limit:
            detail = f"The body is larger than {limit // 1024} KiB."
            return refuse(environ, start_response, problems.problem(413, detail=detail))
        return application(environ, start_response)

    return bounded


def refuse(environ: Environ, start_response: Callable[..., Any], document: dict[str, Any]) -> Iterable[bytes]:
    """Answers before the body has been read, so the connection cannot be used again."""
    body = problems.to_bytes(document)
    headers = [
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("X-Request-ID", requests.tell_refused(environ, document["status"], document["code"])),
    ]
    start_response(f"{document['status']} {document['title']}", headers)
    return [body]
