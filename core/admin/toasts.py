"""Short notes at the edge of the page on what a button has done, with a way to take it back.

They answer requests of htmx. `toasts.js` shows them; a reader of the screen hears them.
"""

import json

from django.http import HttpResponse


def show_toast(response: HttpResponse, text: str, *, level: str = "success", undo_url: str = "") -> HttpResponse:
    """Adds a toast to the answer. `level`: success, warning or error. `undo_url` is posted to by its button *Undo*."""
    toast = {"text": text, "level": level, "undo": undo_url}
    return trigger(response, toast=toast)


def trigger(response: HttpResponse, **events: object) -> HttpResponse:
    """Adds events for the page: `refresh` lets live parts ask immediately."""
    known = json.loads(response.headers.get("HX-Trigger", "{}"))
    response["HX-Trigger"] = json.dumps(known | events)  # ASCII, as headers must be
    return response
