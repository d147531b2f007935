"""What supervisors do with contacts, one or many: resolve, reopen, give to somebody, route again, put back."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import action

from core.admin import formatting
from core.admin.toasts import show_messages, trigger
from core.admin.verbs import Done, VerbAction, VerbAdmin, acting_user, refresh_page, refusal_text
from core.errors import Refusal
from core.ids import is_id
from routing import lifecycle, own_contacts
from routing.admin import contact_messages
from routing.admin.contact_tabs import RESOLVED, chosen_tab
from routing.admin.forms import GiveForm, GiveManyForm, expected_holders
from routing.models import Contact

GIVE = {"title": _("Assign this contact"), "description": _("The history will record that you decided this.")}
GIVE_MANY = {"title": _("Assign the selected contacts"), "description": GIVE["description"]}
FORCE_HELPS = ("operator_full", "operator_inactive")


class ContactVerbs(VerbAdmin):
    actions: Any = ["resolve_selected", "return_selected", "reroute_selected", "reopen_selected"]
    actions_detail = ["resolve_this", "reopen_this", "give_this", "reroute_this", "return_this", "decline_this"]
    actions_list = ["give_many"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reopen_view)
        return [path("reopen/", view, name="routing_contact_reopen"), *super().get_urls()]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        return []  # the bar below the list has them

    def has_resolve_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_route_permission(request) or own_contacts.sees_only_own(request.user)

    def has_route_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("routing.change_contact")

    def response_action(self, request: HttpRequest, queryset: QuerySet[Contact], **place: Any) -> Any:  # type: ignore[override]
        """The list stays where it is: what an action says is a toast. `place` is empty before Django 6.1."""
        response = super().response_action(request, queryset, **place)
        if "HX-Request" in request.headers and not (response and response.has_header("HX-Trigger")):
            return show_messages(request, HttpResponse(status=204))
        return response

    def bulk_buttons(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The buttons below the list that act on what is selected."""
        fitting = {"reopen_selected"} if chosen_tab(request) == RESOLVED else {*self.actions} - {"reopen_selected"}
        labels = dict(self.get_action_choices(request))
        return [{"action": name, "label": labels[name]} for name in self.actions if name in fitting & labels.keys()]

    def run_for_many(
        self,
        request: HttpRequest,
        contacts: Iterable[Contact],
        verb: Callable[..., object],
        done: Done,
        became: Callable[[int], Done] | None = None,
    ) -> list[Refusal]:
        """Calls the verb for each; one message for each outcome, with the numbers of those that were refused.

        `became` chooses another message if the outcome may have changed since. Returns the refusals.
        """
        holders, outcomes, refusals = expected_holders(request), dict[Done, int](), dict[str, list[str]]()
        refused: list[Refusal] = []
        for contact in contacts:
            seen = {"expected_operator_id": holders[contact.pk]} if contact.pk in holders else {}
            try:
                verb(contact_id=contact.pk, by=acting_user(request), **seen)
            except Refusal as refusal:
                refused.append(refusal)
                refusals.setdefault(refusal_text(refusal), []).append(str(contact))
            else:
                words = became(contact.pk) if became else done
                outcomes[words] = outcomes.get(words, 0) + 1
        for words, count in outcomes.items():
            self.message_user(request, words(count), messages.SUCCESS)
        for sentence, names in refusals.items():
            some = formatting.first_few(names[: formatting.SHOWN], count=len(names))
            self.message_user(request, f"{some}. {sentence}", messages.ERROR)
        return refused

    def said(self, request: HttpRequest, *, back: str, undo_url: str = "") -> HttpResponse:
        """The answer to a button: a toast for htmx, else the page again with messages."""
        if "HX-Request" in request.headers:
            return show_messages(request, HttpResponse(status=204), undo_url=undo_url)
        return redirect(back)

    def resolve(self, request: HttpRequest, contacts: Iterable[Contact], back: str) -> HttpResponse:
        still_open = [contact for contact in contacts if not contact.is_resolved]
        self.run_for_many(request, still_open, lifecycle.resolve_contact, contact_messages.resolved)
        resolved = Contact.objects.resolved().filter(pk__in=[contact.pk for contact in still_open])
        query = urlencode({"id": list(resolved.values_list("pk", flat=True))}, doseq=True)
        undo_url = f"{reverse('admin:routing_contact_reopen')}?{query}" if query else ""
        return self.said(request, back=back, undo_url=undo_url)

    def reopen(self, request: HttpRequest, contacts: Iterable[Contact], back: str) -> HttpResponse:
        self.run_for_many(request, contacts, without_expectation(lifecycle.reopen_contact), contact_messages.reopened)
        return self.said(request, back=back)

    def reopen_view(self, request: HttpRequest) -> HttpResponse:
        """Takes a resolution back: reopens the contacts `?id=`."""
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        ids = [pk for pk in request.GET.getlist("id") if is_id(pk)]
        contacts = self.get_queryset(request).resolved().filter(pk__in=ids).order_by("pk")  # type: ignore[attr-defined]
        return require_POST(self.reopen)(request, contacts, reverse("admin:routing_contact_changelist"))

    @action(description=_("Resolve"), permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse:
        return self.resolve(request, queryset, request.get_full_path())

    @action(description=_("Reopen"), permissions=["resolve"])
    def reopen_selected(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse:
        return self.reopen(request, queryset, request.get_full_path())

    @action(description=_("Resolve"), permissions=["resolve"])
    def resolve_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return require_POST(self.resolve)(request, *self.only(request, object_id))

    @action(description=_("Reopen"), permissions=["resolve"])
    def reopen_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return require_POST(self.reopen)(request, *self.only(request, object_id))

    def only(self, request: HttpRequest, object_id: str) -> tuple[list[Contact], str]:
        """The contact in a list, which is empty if the user may not see it, and the page to return to."""
        contact = self.get_object(request, object_id)
        if contact is None:
            return [], reverse("admin:routing_contact_changelist")
        return [contact], reverse("admin:routing_contact_change", args=[contact.pk])

    @action(
        description=_("Assign to…"),
        permissions=["route"],
        dialog={**GIVE, "form_class": GiveForm, "form_submit_text": _("Assign")},
    )
    def give_this(self, request: HttpRequest, form: GiveForm, object_id: str) -> HttpResponse:
        return self.give(request, form, self.only(request, object_id)[0], GIVE)

    @action(
        description=_("Assign to…"),
        permissions=["route"],
        dialog={**GIVE_MANY, "form_class": GiveManyForm, "form_submit_text": _("Assign")},
    )
    def give_many(self, request: HttpRequest, form: GiveManyForm) -> HttpResponse:
        contacts = self.get_queryset(request).filter(pk__in=form.selected).order_by("pk")
        return self.give(request, form, contacts, GIVE_MANY)

    def give(
        self, request: HttpRequest, form: GiveForm, contacts: Iterable[Contact], dialog: dict[str, Any]
    ) -> HttpResponse:
        """Assigns them to one operator. A refusal keeps the dialog and the choice, and says why."""
        operator = form.cleaned_data["operator"]
        verb = lifecycle.force_contact if form.cleaned_data["force"] else lifecycle.give_contact
        refused = self.run_for_many(
            request, contacts, partial(verb, operator_id=operator.pk), partial(contact_messages.given, operator)
        )
        if not refused:
            return refresh_page()
        form.refuse(request, offers_force=any(refusal.code in FORCE_HELPS for refusal in refused))
        context = {"dialog": dialog, "form": form, "form_submit_text": _("Assign")}
        return trigger(render(request, "unfold/helpers/dialog.html", context), refresh=True)

    @VerbAction(
        button=_("Route to another operator"),
        permission="route",
        title=_("Route this contact to another operator?"),
        description=_(
            "An operator is chosen from the source's roster. If no other operator is free, the contact stays where "
            "it is."
        ),
        submit=_("Route to another operator"),
    )
    def reroute(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.run_for_many(request, contacts, lifecycle.reroute_contact, contact_messages.rerouted)

    @VerbAction(
        button=_("Return to the queue"),
        permission="route",
        title=_("Return this contact to the queue?"),
        description=_("It keeps its place by age, and is not assigned to the same operator again."),
        submit=_("Return to the queue"),
    )
    def return_(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.run_for_many(
            request, contacts, lifecycle.return_contact, contact_messages.returned, contact_messages.after_return
        )


def without_expectation(verb: Callable[..., object]) -> Callable[..., object]:
    """The verb, which does not ask who has the contact."""

    def call(*, contact_id: int, by: str, expected_operator_id: int | None = None) -> object:
        return verb(contact_id=contact_id, by=by)

    return call
