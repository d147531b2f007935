from django.db import Error
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from core.db.compiled import Later


def caller_name(request: Request) -> str:
    """The caller's name for the history: the key, or "API" without one."""
    return f"key {request.auth}" if request.auth else "API"


def confirm_caller(request: Request) -> Later[None]:
    """Asks with the caller's next statement whether who calls may still do so; the answer raises if not.

    Authentication leaves this to views that say `confirms_caller`. It then goes by what this process has seen last,
    which saves a turn to the database; so such a view has to ask before it does or answers anything.
    """
    confirm = getattr(request, "confirm_caller", None)
    return confirm() if confirm else lambda: None


def first_of_all(request: Request, error: Exception) -> Exception:
    """What such a view answers instead of this error, if who calls may no longer do so, or cannot be asked for."""
    if isinstance(error, Error):
        return error  # the database has failed already, and might take as long again to say so
    try:
        confirm_caller(request)()
    except (APIException, Error) as refusal:
        return refusal
    return error
