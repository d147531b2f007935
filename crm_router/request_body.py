"""Bounds the request's body before anybody reads it, whether its length was announced or not."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from crm_router.wire import problems

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_bounded_body(application: Application) -> Application:
    """Answers 413 to bodies beyond MAX_BODY_BYTES, and lets Django see bodies sent in chunks, which it would ignore."""

    def bounded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        limit = settings.MAX_BODY_BYTES
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = environ["wsgi.input"].read(limit + 1)
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if int(environ.get("CONTENT_LENGTH") or 0) > limit:
            return too_large(start_response, limit)
        return application(environ, start_response)

    return bounded


def too_large(start_response: Callable[..., Any], limit: int) -> Iterable[bytes]:
    body = problems.to_bytes(problems.problem(413, "too_large", f"The body is larger than {limit // 1024} KiB."))
    headers = [("Content-Type", problems.MEDIA_TYPE), ("Content-Length", str(len(body))), ("Connection", "close")]
    start_response("413 Content Too Large", headers)
    return [body]
