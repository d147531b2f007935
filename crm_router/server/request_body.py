"""Reads the request's body before Django does, up to a limit, whether its length was announced or not."""

import io
import re
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from crm_router.server import refusals
from crm_router.server.refusals import Application, Environ, Refused

# JSON is always UTF-8. Django would use the codec that the client names, and some codecs are not text encodings.
CHARSET = re.compile(r""";\s*charset=("[^"]*"|[^;]*)""", re.IGNORECASE)
BATCH = "/api/v1/contacts/batch"
DISCARDED = 16 * 1024 * 1024  # bytes read of a body that is too large; a client still sending misses the answer
PIECE = 64 * 1024  # bytes
GZIP = {"gzip", "x-gzip"}  # RFC 9110, 8.4.1.3
GZIP_ONLY = 16 + zlib.MAX_WBITS  # zlib would take other formats, too


def with_bounded_body(application: Application) -> Application:
    """Answers 413 to bodies that are too large, and gives Django the chunked and the compressed ones as plain ones."""

    def bounded(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        limit = limit_for(environ["PATH_INFO"])
        try:
            body = unpack_body(environ, read_body(environ, limit), limit)
        except Refused as refused:
            return refusals.answer(refused, environ, start_response)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return bounded


def limit_for(path: str) -> int:
    """The maximum size in bytes of a body sent to this path, before and after it is unpacked."""
    return settings.MAX_BATCH_BYTES if path.removesuffix("/") == BATCH else settings.MAX_BODY_BYTES


def read_body(environ: Environ, limit: int) -> bytes:
    stream = environ["wsgi.input"]
    try:
        if "HTTP_TRANSFER_ENCODING" in environ:
            body = stream.read(limit + 1)
            announced = len(body)
        else:
            announced = int(environ.get("CONTENT_LENGTH") or 0)
            body = stream.read(announced) if 0 < announced <= limit else b""
        if announced > limit:
            discard_rest(stream)
            raise too_large(limit)
    except OSError as error:
        raise broken_off() from error
    if len(body) < announced:
        raise broken_off()
    return bytes(body)


def discard_rest(stream: Any) -> None:
    """Reads the rest of a body, so that the client gets its answer; one that does not end soon ends the connection."""
    left = DISCARDED
    while left > 0:
        if not (piece := stream.read(PIECE)):
            return
        left -= len(piece)
    refusals.close_connection()


def unpack_body(environ: Environ, body: bytes, limit: int) -> bytes:
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if not (body and encoding):
        return body
    if encoding not in GZIP:
        raise Refused(415, _("A compressed body must be gzip."), ("Accept-Encoding", "gzip"))
    unpacker = zlib.decompressobj(GZIP_ONLY)
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise not_gzip() from error
    if len(unpacked) > limit:
        raise too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise not_gzip()
    return unpacked


def too_large(limit: int) -> Refused:
    return Refused(413, _("The body is larger than %(limit)s KiB."), limit=limit // 1024)


def broken_off() -> Refused:
    refusals.close_connection()  # where the next request would begin is unknown
    return Refused(400, _("The body broke off before its end."))


def not_gzip() -> Refused:
    return Refused(400, _("The body is not valid gzip."))
