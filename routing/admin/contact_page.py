"""The page of a contact: the client, the message and notes beside the state, what can be done, and why.

The state, the history and the notes follow what happens; what somebody types stays.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.admin import formatting
from core.admin.live import AGES_STAND, live_response
from core.admin.toasts import trigger
from core.admin.verbs import VerbAdmin, acting_user, refusal_text
from core.errors import Refusal
from leads import warnings
from leads.admin import lead_formatting
from routing import explanation, history, notes, own_contacts, queue_stats
from routing.admin import contact_history, own_contact_buttons
from routing.admin.contact_columns import COLOURS, reason_text, status_text
from routing.admin.contact_tabs import OVERDUE, UNTAKEN
from routing.models import LONGEST_NOTE, Contact

FITTING = {
    Contact.Status.WAITING: ("give_this", "resolve_this"),
    Contact.Status.ASSIGNED: ("resolve_this", "give_this", "reroute_this", "return_this"),
    Contact.Status.RESOLVED: ("reopen_this",),
}
WITHOUT_DIALOG = ("resolve_this", "reopen_this")


class ContactPage(VerbAdmin):
    change_form_template = "routing/contact_page.html"
    fieldsets = [(None, {"fields": []})]  # the page has its own

    def get_urls(self) -> list[URLPattern]:
        views: dict[str, tuple[Any, str]] = {
            "<int:pk>/live/": (self.live_state_view, "live_state"),
            "<int:pk>/events/<int:event_id>/": (self.event_view, "event"),
            "<int:pk>/notes/": (self.note_view, "note"),
        }
        own = [
            path(address, self.admin_site.admin_view(view), name=f"routing_contact_{name}")
            for address, (view, name) in views.items()
        ]
        return [*own, *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        return []  # they stand beside the state

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Contact | None = None,
    ) -> HttpResponse:
        context |= self.page_context(request, obj) if obj else {}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def page_context(self, request: HttpRequest, contact: Contact) -> dict[str, Any]:
        sees_only_own = own_contacts.sees_only_own(request.user)
        told = contact_history.text_context(contact) if sees_only_own else contact_history.full_context(contact)
        return told | {
            "contact": contact,
            "client": str(contact.lead) if sees_only_own else formatting.change_page_link(contact.lead),
            "ways": lead_formatting.ways_to_reach(contact.lead),
            "warnings": [one.detail for one in warnings.list_warnings(contact)],
            "status": str(capfirst(status_text(contact))),
            "colour": COLOURS[status_colour(contact)],
            "facts": list_facts(contact, with_links=not sees_only_own),
            "buttons": self.list_buttons(request, contact),
            "own_buttons": own_buttons(request, contact),
            "notes": [
                {"text": note.text, "by": explanation.author_text(note.by), "at": note.at}
                for note in notes.list_notes(contact.pk)
            ],
            "may_note": self.may_note(request, contact),
            "longest_note": LONGEST_NOTE,
        }

    def list_buttons(self, request: HttpRequest, contact: Contact) -> list[dict[str, Any]]:
        """What this user can do with it now, the first being the likeliest. An operator has own buttons instead."""
        if contact.lead.erased_at and contact.is_resolved:
            return []
        if contact.status == Contact.Status.ASSIGNED and own_contacts.sees_only_own(request.user):
            return []
        allowed = super().get_actions_detail(request, contact.pk)
        known = {one.action_name.removeprefix("routing_contact_"): one for one in allowed}
        holder = f"{contact.pk}:{contact.operator_id or ''}"
        return [
            {
                "name": name,
                "label": known[name].description,
                "url": reverse(f"admin:routing_contact_{name}", args=[contact.pk]),
                "holder": holder,
                "has_dialog": name not in WITHOUT_DIALOG,
            }
            for name in FITTING[contact.status]
            if name in known
        ]

    def may_note(self, request: HttpRequest, contact: Contact) -> bool:
        may_write = request.user.has_perm("routing.change_contact") or own_contacts.is_own(request.user, contact)
        return bool(may_write) and contact.lead.erased_at is None

    def find_visible(self, request: HttpRequest, pk: int) -> Contact | None:
        """None if the user may see contacts, but not this one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        contacts = self.get_queryset(request).select_related("lead", "source", "operator")
        contact: Contact | None = contacts.filter(pk=pk).first()
        return contact

    def live_state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        contact = self.find_visible(request, pk)
        if contact is None:
            return HttpResponse(format_html("<p>{}</p>", _("This contact is not with you any more.")))
        last = contact.history.order_by("-pk").values_list("pk", flat=True).first()
        version = (
            contact.updated_at,
            contact.waiting_reason,
            contact.queue_position,
            contact.is_overdue,
            last,
            contact.notes.count(),
        )

        def rendered() -> str:
            return render_to_string("routing/contact_live.html", self.page_context(request, contact), request)

        return live_response(request, version, rendered, minutes=AGES_STAND)

    def event_view(self, request: HttpRequest, pk: int, event_id: int) -> HttpResponse:
        """The table of candidates of one decision in the history."""
        contact = self.find_visible(request, pk)
        if contact is None or own_contacts.sees_only_own(request.user):
            raise PermissionDenied
        events = contact.history.select_related("to_operator").filter(what__in=history.CAUSES)
        event = events.filter(pk=event_id).first()
        if event is None:
            return HttpResponse(_("This contact has no such decision."))
        context = contact_history.table_context(explanation.explain_event(event))
        return render(request, "routing/contact_event.html", context)

    def note_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stores the note and answers with an empty form; with what was typed and the reason if it is refused."""
        contact = self.find_visible(request, pk)
        if contact is None or not self.may_note(request, contact):
            raise PermissionDenied
        return require_POST(self.add_note)(request, contact)

    def add_note(self, request: HttpRequest, contact: Contact) -> HttpResponse:
        typed, error = request.POST.get("text", ""), ""
        try:
            notes.add_note(contact.pk, typed, acting_user(request))
        except Refusal as refusal:
            error = refusal_text(refusal)
        shown = {"contact": contact, "typed": typed if error else "", "error": error, "longest_note": LONGEST_NOTE}
        return trigger(render(request, "routing/contact_note_form.html", shown), refresh=True)


def status_colour(contact: Contact) -> str:
    return (OVERDUE if contact.is_overdue else UNTAKEN) if contact.is_untaken else contact.status.value


def own_buttons(request: HttpRequest, contact: Contact) -> Any:
    if own_contacts.is_own(request.user, contact):
        return own_contact_buttons.buttons_for(contact)
    return ""


def list_facts(contact: Contact, *, with_links: bool) -> list[tuple[str, Any]]:
    """The state in words: label and value, first what matters now."""
    link = formatting.change_page_link if with_links else str
    facts: list[tuple[str, Any]] = []
    if contact.status == Contact.Status.WAITING:
        waits_since = queue_stats.waiting_since([contact.pk]).get(contact.pk, contact.created_at)
        facts += [
            (_("reason"), reason_text(contact)),
            (_("waits for"), formatting.age(waits_since)),
            (_("place in the queue"), contact.queue_position or formatting.NOTHING),
        ]
    elif contact.operator:
        facts += [(_("operator"), link(contact.operator))]
    if contact.status == Contact.Status.ASSIGNED:
        taken = formatting.format_datetime(contact.accepted_at) if contact.accepted_at else _("not yet")
        facts += [
            (_("has it for"), contact.assigned_at and formatting.age(contact.assigned_at)),
            (_("taken at"), taken),
        ]
    if contact.resolved_at:
        facts += [(_("resolved at"), formatting.format_datetime(contact.resolved_at))]
    facts += [
        (_("source"), link(contact.source)),
        (_("received"), formatting.format_datetime(contact.created_at)),
        (_("number"), contact.pk),
    ]
    return [(str(capfirst(label)), value) for label, value in facts if value]
