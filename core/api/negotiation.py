from typing import Any

from rest_framework.negotiation import BaseContentNegotiation


class AlwaysJSON(BaseContentNegotiation):
    """Ignores `Accept`: JSON is the only format, and a 406 would help no client."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        accepted = (parser for parser in parsers if request.content_type.split(";")[0].lower() == parser.media_type)
        return next(accepted, None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
