"""Short notes at the edge of the page on what a button has done, with a way to take it back.

They answer requests of htmx. `toasts.js` shows them; a reader of the screen hears them.
"""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse


def show_toast(response: HttpResponse, text: str, *, level: str = "success", undo_url: str = "") -> HttpResponse:
    """Adds a toast to the answer. `level`: success, warning or error. `undo_url` is posted to by its button *Undo*."""
    toast = {"text": text, "level": level, "undo": undo_url}
    return trigger(response, toast=toast)


def show_messages(request: HttpRequest, response: HttpResponse, *, undo_url: str = "") -> HttpResponse:
    """Adds the messages that the next page would show as one toast, each on a line of its own; lets live parts ask."""
    said = list(messages.get_messages(request))
    level = "error" if any(one.level >= messages.ERROR for one in said) else "success"
    show_toast(response, "\n".join(str(one) for one in said), level=level, undo_url=undo_url)
    return trigger(response, refresh=True)


def trigger(response: HttpResponse, **events: object) -> HttpResponse:
    """Adds events for the page: `refresh` lets live parts ask immediately."""
    known = json.loads(response.headers.get("HX-Trigger", "{}"))
    response["HX-Trigger"] = json.dumps(known | events)  # ASCII, as headers must be
    return response
