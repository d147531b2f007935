"""The pages of the back-office, and what the tests read from them."""

from typing import Any

from django.contrib.messages import get_messages
from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse


def listing(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def adding(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def page(thing: Model) -> str:
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_change", args=[thing.pk])


def button(thing: Model, action: str) -> str:
    """Where the dialog of a button on the page asks and sends."""
    meta = thing._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{action}", args=[thing.pk])


def run(client: Client, action: str, *things: Model, archive: bool = False) -> Any:
    """Selects these in their list and runs the action."""
    url = listing(type(things[0])) + ("?archive=yes" if archive else "")
    return client.post(url, {"action": action, "_selected_action": [thing.pk for thing in things], "index": "0"})


def press(client: Client, thing: Model, action: str, **filled_in: Any) -> Any:
    """Presses the button, fills in its dialog and confirms it."""
    return client.post(button(thing, action), {"_form_submitted": "True"} | filled_in)


def merge(client: Client, lead: Model, other: Model, survivor: Model) -> Any:
    """Presses "Same person: merge…" and says which of the two stays."""
    url = f"{button(lead, 'merge_this')}?other={other.pk}"
    return client.post(url, {"_form_submitted": "True", "survivor": survivor.pk})


def offered(client: Client, thing: Model) -> list[str]:
    """The buttons on the page, those of its menus included."""
    context = client.get(page(thing)).context
    if "buttons" in context:  # of a contact
        return [button["name"] for button in context["buttons"]]
    buttons = context["actions_detail"]
    flat = [one for button in buttons for one in button.get("items", [button])]
    return [one["path"].rstrip("/").rpartition("/")[2] for one in flat]


def tables(client: Client, thing: Model) -> list[type[Model]]:
    """What is listed on the page below its fields."""
    return [inline.opts.model for inline in client.get(page(thing)).context["inline_admin_formsets"]]


def shown(client: Client, url: str) -> list[Any]:
    """What a list shows."""
    return list(client.get(url).context["cl"].result_list)


def said(response: HttpResponse) -> list[str]:
    """The messages that the next page will show."""
    return [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def filled(response: Any) -> dict[str, Any]:
    """Everything that a browser would send if the user pressed "Save" on this page without touching anything."""
    context = response.context
    forms: list[BaseForm] = [context["adminform"].form]
    formsets = [inline.formset for inline in context["inline_admin_formsets"]]
    for formset in formsets:
        forms += [formset.management_form, *formset.forms]
    return {name: value for form in forms for name, value in fields(form).items() if value is not None}


def fields(form: BaseForm) -> dict[str, Any]:
    sent = {}
    for field in form:
        value = field.value()
        if value is not False and not field.field.disabled:
            sent[field.html_name] = value
        if field.field.show_hidden_initial:
            known = form.data.get(field.html_initial_name) if form.is_bound else None
            sent[field.html_initial_name] = known or field.field.hidden_widget().format_value(value) or ""
    return sent
