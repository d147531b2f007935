import json
from typing import Any, NoReturn

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

NESTED = (dict, list)


class StrictJSONParser(JSONParser):
    """JSON in UTF-8, with or without a byte order mark, nested no deeper than MAX_JSON_DEPTH."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        parsed = read_json(stream.read())
        if json_depth(parsed) > settings.MAX_JSON_DEPTH:
            raise too_deep()
        return parsed


def read_json(body: bytes) -> Any:
    """The value of a JSON document. Raises ParseError with a sentence of our own: Python's names its parser."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=refuse_constant)
    except UnicodeDecodeError as error:
        sentence = _("The body is not valid UTF-8: byte %(place)s cannot be read.")
        raise ParseError(sentence % {"place": error.start + 1}) from error
    except json.JSONDecodeError as error:
        sentence = _("The body is not valid JSON: it cannot be read from line %(line)s, column %(column)s on.")
        raise ParseError(sentence % {"line": error.lineno, "column": error.colno}) from error
    except RecursionError as error:  # deeper than Python's recursion limit
        raise too_deep() from error
    except ValueError as error:  # of more digits than Python reads
        raise ParseError(_("The body is not valid JSON: a number in it is too long.")) from error


def refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("The body is not valid JSON: %(name)s is not a number.") % {"name": name})


def too_deep() -> ParseError:
    sentence = _("The JSON is nested too deeply (at most %(levels)s levels).")
    return ParseError(sentence % {"levels": settings.MAX_JSON_DEPTH})


def json_depth(value: Any) -> int:
    """The nesting depth of a value; 1 for []."""
    if not isinstance(value, NESTED):
        return 0
    items = value.values() if isinstance(value, dict) else value
    return 1 + max([json_depth(one) for one in items if isinstance(one, NESTED)], default=0)
