"""Asks before a change that applies at once and does harm: a dialog that says what will happen.

It answers a request of htmx in place of the change. Confirmed, the page sends the same again with `sure`; cancelled, it
shows again what is stored: see `instant.js`.
"""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NOT_SENT_AGAIN = ("csrfmiddlewaretoken", "sure")


def ask(request: HttpRequest, *, title: str, sentences: Sequence[str], submit: str) -> HttpResponse:
    """The dialog. `sentences`: what will happen; `submit`: the label of the button that does it nevertheless."""
    sent = [(name, value) for name, values in request.POST.lists() for value in values if name not in NOT_SENT_AGAIN]
    context = {"title": title, "sentences": sentences, "submit": submit, "sent": sent}
    response = render(request, "question.html", context)
    response["HX-Retarget"], response["HX-Reswap"] = "#question", "innerHTML"
    return response


def is_sure(request: HttpRequest) -> bool:
    """Whether the user has read the dialog and confirmed it."""
    return request.POST.get("sure") == "yes"
