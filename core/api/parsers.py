from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """JSON objects and arrays, nested no deeper than MAX_JSON_DEPTH."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            parsed = super().parse(stream, media_type, parser_context)
            too_deep = json_depth(parsed) > settings.MAX_JSON_DEPTH
        except RecursionError:  # deeper than Python's recursion limit
            too_deep = True
        except ParseError as error:  # neither its own sentence nor Python's description of the position is translated
            raise ParseError(_("The body is not valid JSON: %(error)s.") % {"error": error.__context__}) from error
        if too_deep:
            raise ParseError(
                _("The JSON is nested too deeply (at most %(levels)s levels).") % {"levels": settings.MAX_JSON_DEPTH}
            )
        return parsed


def json_depth(value: Any) -> int:
    """The nesting depth of a value; 1 for []."""
    if isinstance(value, dict):
        return 1 + max(map(json_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(json_depth, value), default=0)
    return 0
