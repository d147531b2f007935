from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.fields import CharField
from rest_framework.request import Request

from core import text
from core.changes.models import LONGEST_REASON, Via
from core.changes.recording import Author

REASON_HEADER = "X-Change-Reason"
CHANGE_REASON = OpenApiParameter(
    REASON_HEADER,
    {"type": "string", "maxLength": LONGEST_REASON},
    OpenApiParameter.HEADER,
    description="Why the configuration is changed; kept with the change. Letters beyond ASCII in UTF-8.",
)


def own_source_id(request: Request) -> int | None:
    """The source that the caller's key is limited to; None for a management key and for a call without a key."""
    source_id: int | None = getattr(request.auth, "source_id", None)
    return source_id


def caller_name(request: Request) -> str:
    """The caller's name in the history: the key, or "API" for a call without one."""
    return f"key {request.auth}" if request.auth else "API"


def caller_author(request: Request) -> Author:
    """The caller as the author of a change of configuration, with the reason from the header."""
    return Author(caller_name(request), Via.API, change_reason(request))


def change_reason(request: Request) -> str:
    """What the header says, empty without one. Raises ValidationError for one that is too long."""
    given = request.headers.get(REASON_HEADER, "")
    reason = text.trim(given.encode("latin-1", "replace").decode(errors="replace"))  # WSGI has decoded it as Latin-1
    try:
        return str(CharField(max_length=LONGEST_REASON, allow_blank=True).run_validation(reason))
    except ValidationError as error:
        raise ValidationError({REASON_HEADER: error.detail}) from error
