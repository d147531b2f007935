"""Answers that may be too large for memory: written piece by piece, as JSON."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import translation
from rest_framework.renderers import JSONRenderer

MEDIA_TYPE = "application/json"


def stream_json(pieces: Iterable[bytes], **options: Any) -> StreamingHttpResponse:
    """The answer that consists of these pieces. The first is made now: until then an error is answered as usual.

    An error afterwards ends the connection without the end of the answer, which clients notice. The language of the
    request stays active for all pieces.
    """
    language = translation.get_language()
    remaining = iter(pieces)
    first = next(remaining)

    def write() -> Iterator[bytes]:
        while True:
            with translation.override(language):
                piece = next(remaining, None)
            if piece is None:
                return
            yield piece

    return StreamingHttpResponse(chain([first], write()), content_type=MEDIA_TYPE, **options)


def render_object(members: Mapping[str, Any]) -> Iterator[bytes]:
    """One JSON object; a member that is an iterator of slices becomes their array."""
    opening = b"{"
    for name, value in members.items():
        yield opening + render(name) + b":"
        yield from render_array(value) if isinstance(value, Iterator) else [render(value)]
        opening = b","
    yield b"}"


def render_array(slices: Iterable[list[Any]]) -> Iterator[bytes]:
    """One JSON array of the elements of all slices."""
    opening = b"["
    for part in filter(None, slices):  # the rows of a slice may have moved away since they were listed
        yield opening + render(part)[1:-1]
        opening = b","
    yield b"]" if opening == b"," else b"[]"


def join_single(slices: Iterator[list[Any]]) -> list[Any] | Iterator[list[Any]]:
    """The one slice that there is, or none; if there are more, all of them."""
    first, second = next(slices, []), next(slices, None)
    return first if second is None else chain([first, second], slices)


def render(data: Any) -> bytes:
    rendered: bytes = JSONRenderer().render(data)
    return rendered
