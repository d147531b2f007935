"""Bounds the request's body before anybody reads it, whether its length was announced or not."""

import io
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.conf import settings

from core.api import problems
from crm_router.observability import requests

# JSON is UTF-8, whatever a client says; Django would look for its codec, and some of those are no encodings of text.
CHARSET = re.compile(r""";\s*charset=("[^"]*"|[^;]*)""", re.IGNORECASE)
BATCH = "/api/v1/contacts/batch"
WHOLE = 1024 * 1024  # bytes read at once of what has arrived
WASTE = 16 * 1024 * 1024  # bytes; of a body announced as larger nothing is read at all

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_bounded_body(application: Application) -> Application:
    """Answers 413 to bodies that are too large, and lets Django see bodies sent in chunks, which it would ignore."""

    def bounded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        limit, stream = limit_for(environ["PATH_INFO"]), environ["wsgi.input"]
        is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if is_chunked:
            try:
                body = stream.read(limit + 1)
            except OSError:
                return refuse(
                    environ, start_response, problems.problem_document(400, detail="The body broke off before its end.")
                )
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        announced = environ.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal():
            return refuse(
                environ, start_response, problems.problem_document(400, detail="Content-Length must be a number.")
            )
        if int(announced) > limit:
            throw_away(stream, WASTE if is_chunked else int(announced))
            detail = f"The body is larger than {limit // 1024} KiB."
            return refuse(environ, start_response, problems.problem_document(413, detail=detail))
        answer = application(environ, start_response)
        # Where headers alone were refused, nobody has read the body; the next request comes behind it. gunicorn would
        # skip 64 KiB of it and then hang up, on a connection that the answer promises to keep.
        while stream.read(WHOLE):
            pass
        return answer

    return bounded


def limit_for(path: str) -> int:
    """How many bytes a body may have that is sent to this path."""
    return settings.MAX_BATCH_BYTES if path.removesuffix("/") == BATCH else settings.MAX_BODY_BYTES


def throw_away(stream: Any, size: int) -> None:
    """Reads what is still coming: a client that meets a closed door while sending never sees why it was refused."""
    with suppress(OSError):
        while 0 < size <= WASTE and (piece := stream.read(min(size, 65_536))):
            size -= len(piece)


def refuse(environ: Environ, start_response: Callable[..., Any], document: dict[str, Any]) -> Iterable[bytes]:
    """Answers and hangs up: what may remain of the body must not be taken for another request."""
    call = requests.begin_request(environ)
    requests.log_refused_request(
        call, method=environ["REQUEST_METHOD"], status=document["status"], code=document["code"]
    )
    body = problems.to_bytes(document)
    headers = [
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("X-Request-ID", call.request_id),
    ]
    start_response(f"{document['status']} {document['title']}", headers)
    return [body]
