"""Reads the request's body before Django does, up to a limit, whether its length was announced or not."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from core.api import problems
from crm_router.observability import requests

# JSON is always UTF-8. Django would use the codec that the client names, and some codecs are not text encodings.
CHARSET = re.compile(r""";\s*charset=("[^"]*"|[^;]*)""", re.IGNORECASE)
BATCH = "/api/v1/contacts/batch"
DISCARDED = 16 * 1024 * 1024  # bytes read of a body that is too large; a client still sending misses the answer
PIECE = 64 * 1024  # bytes

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_bounded_body(application: Application) -> Application:
    """Answers 413 to bodies that are too large, and passes chunked bodies to Django, which would ignore them."""

    def bounded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        limit, stream = limit_for(environ["PATH_INFO"]), environ["wsgi.input"]
        try:
            if "HTTP_TRANSFER_ENCODING" in environ:
                body = stream.read(limit + 1)
                announced = len(body)
            else:
                announced = int(environ.get("CONTENT_LENGTH") or 0)
                body = stream.read(announced) if 0 < announced <= limit else b""
        except OSError:
            return refuse(environ, start_response, 400, "The body broke off before its end.")
        if announced > limit:
            discard_rest(stream)
            return refuse(environ, start_response, 413, f"The body is larger than {limit // 1024} KiB.")
        if len(body) < announced:
            return refuse(environ, start_response, 400, "The body broke off before its end.")
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return bounded


def limit_for(path: str) -> int:
    """The maximum size in bytes of a body sent to this path."""
    return settings.MAX_BATCH_BYTES if path.removesuffix("/") == BATCH else settings.MAX_BODY_BYTES


def discard_rest(stream: Any) -> None:
    left = DISCARDED
    while left > 0 and (piece := stream.read(PIECE)):
        left -= len(piece)


def refuse(environ: Environ, start_response: Callable[..., Any], status: int, detail: str) -> Iterable[bytes]:
    """Answers and closes the connection, so that the rest of the body is not parsed as another request."""
    document = problems.problem_document(status, detail=detail)
    call = requests.begin_request(environ)
    requests.log_refused_request(call, method=environ["REQUEST_METHOD"], status=status, code=str(document["code"]))
    body = problems.to_bytes(document)
    headers = [
        ("Content-Type", problems.MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        ("X-Request-ID", call.request_id),
    ]
    start_response(f"{status} {document['title']}", headers)
    return [body]
