"""The dialogs of the desk: a form in a <dialog> outside of the part that is exchanged, so that typing is not lost."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.admin.toasts import trigger
from core.admin.verbs import refusal_text
from core.errors import Refusal


def answer_dialog(
    request: HttpRequest,
    form_class: type[forms.Form],
    act: Callable[[Any], HttpResponse],
    words: dict[str, Any],
    **initial: Any,
) -> HttpResponse:
    """Shows the form, or acts by what it says and closes the dialog. What is wrong or refused is said in the dialog,
    with all that was typed. `words`: `title`, `text` and `submit`; `client` if it is about one."""
    form = form_class(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            response = act(form)
        except Refusal as refusal:
            form.add_error(None, forms.ValidationError(refusal_text(refusal)))
        else:
            return trigger(response, closeDialog=True)
    response = render(request, "routing/desk/dialog.html", words | {"form": form})
    return trigger(response, refresh=True) if form.non_field_errors() else response
