"""Reads the `Idempotency-Key` header: a structured header string, with or without its quotes."""

import re

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from core.errors import FieldError, Invalid
from leads import validation

HEADER, META_NAME = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"
REPLAYED = "Idempotent-Replayed"
LONGEST = validation.LONGEST["idempotency_key"]

PARAMETERS = [
    OpenApiParameter(
        HEADER,
        {"type": "string", "minLength": 1, "maxLength": LONGEST},
        OpenApiParameter.HEADER,
        description="The same key and body again: the same contact, and nothing is done twice.",
    ),
    OpenApiParameter(
        REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[201],
        description="Only when this contact was made by an earlier request with the same key.",
    ),
]

QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')  # RFC 8941, 3.3.3


def read_idempotency_key(request: Request) -> str | None:
    """The key, without quotes; None when there is none. Raises Invalid."""
    given = request.META.get(META_NAME)  # request.headers would rebuild all headers
    if given is None:
        return None
    quoted = QUOTED.fullmatch(given.strip())
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else given.strip()
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        detail = _("%(field)s must have 1 to %(longest)s printable ASCII characters.")
        raise Invalid(FieldError(HEADER, "invalid", detail % {"field": HEADER, "longest": LONGEST}))
    return key
