"""What the buttons of the desk answer: a toast, and the desk asks for what is new."""

from django.http import HttpResponse

from core.admin.toasts import show_toast, trigger
from core.admin.verbs import refusal_text
from core.errors import Refusal


def done(text: str, *, undo_url: str = "") -> HttpResponse:
    return trigger(show_toast(HttpResponse(status=204), text, undo_url=undo_url), refresh=True)


def refused(refusal: Refusal) -> HttpResponse:
    """Nothing was changed, for this reason. A refusal is an ordinary answer here: its status is that of success."""
    return not_done(refusal_text(refusal))


def not_done(text: str) -> HttpResponse:
    return trigger(show_toast(HttpResponse(status=204), text, level="warning"), refresh=True)
