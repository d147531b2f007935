from typing import Any

from rest_framework.negotiation import BaseContentNegotiation


class AlwaysJSON(BaseContentNegotiation):
    """Ignores `Accept`: JSON is the only format, and a 406 would help no client.

    A body without `Content-Type` is read as JSON; one of another type is refused.
    """

    def select_parser(self, request: Any, parsers: Any) -> Any:
        declared = request.content_type.split(";")[0].strip().lower()
        return next((parser for parser in parsers if declared in ("", parser.media_type)), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
