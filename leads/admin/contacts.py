"""Contacts: found fast, read, resolved. They are born at the intake only, and their facts do not change here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RadioFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.paginator import InfinitePaginator

from leads import lifecycle
from leads.admin import looks, search
from leads.admin.verbs import VerbAdmin, author
from leads.models import Contact

COLOURS = {Contact.Status.WAITING: "warning", Contact.Status.ASSIGNED: "info", Contact.Status.RESOLVED: "success"}
EXCERPT = 60  # characters of a message in lists


class StatusFilter(RadioFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [(value, capfirst(label)) for value, label in Contact.Status.choices]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        words = {
            Contact.Status.WAITING: queryset.waiting,
            Contact.Status.ASSIGNED: queryset.open,
            Contact.Status.RESOLVED: queryset.resolved,
        }
        return words.get(self.value(), queryset.all)()


def resolved(count: int) -> str:
    return ngettext("%(count)d contact is resolved.", "%(count)d contacts are resolved.", count) % {"count": count}


def reopened(count: int) -> str:
    return ngettext("%(count)d contact is open again.", "%(count)d contacts are open again.", count) % {"count": count}


def excerpt(contact: Contact) -> str:
    return Truncator(contact.message or "").chars(EXCERPT) or looks.NOTHING


@admin.register(Contact)
class ContactAdmin(VerbAdmin):
    list_display = ["number", "created_at", "source", "person", "status", "handler", "excerpt"]
    list_filter = [StatusFilter, ("source", AutocompleteSelectFilter), ("operator", AutocompleteSelectFilter)]
    list_select_related = ["lead", "source", "operator"]
    list_per_page = 50
    search_fields = ["pk"]
    search_help_text = _("Phone, e-mail, name or number")
    sortable_by = ()  # the newest first: any other order would sort the whole table
    ordering = ["-pk"]
    paginator = InfinitePaginator
    actions = ["resolve_selected", "reopen_selected"]
    actions_detail = ["resolve_this", "reopen_this"]

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> list[Any]:
        waits = obj is not None and obj.status == Contact.Status.WAITING
        return [
            (_("Lead"), {"fields": ["lead", "reached_by", "message_text"]}),
            (_("Assignment"), {"fields": ["state", *(["waiting_reason", "position"] if waits else ["operator"])]}),
            (_("Registration"), {"fields": ["number", "source", "created_at", "resolved_at"]}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).prefetch_related("lead__identities")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        if not search_term:
            return queryset, False
        found = search.leads_like(search_term, "lead__")
        if search.is_number(search_term):
            found |= search.numbered(search_term)
        return queryset.filter(found), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return False

    def has_resolve_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("leads.change_contact")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        contact = self.get_object(request, object_id)
        unfit = "resolve_this" if contact and contact.is_resolved else "reopen_this"
        return [a for a in super().get_actions_detail(request, object_id) if not a.action_name.endswith(unfit)]

    @action(description=_("Resolve"), permissions=["resolve"])
    def resolve_selected(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        self.for_each(
            request, queryset, lambda pk: lifecycle.resolve_contact(contact_id=pk, by=author(request)), resolved
        )

    @action(description=_("Open again"), permissions=["resolve"])
    def reopen_selected(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        self.for_each(
            request, queryset, lambda pk: lifecycle.reopen_contact(contact_id=pk, by=author(request)), reopened
        )

    @action(
        description=_("Resolve"),
        permissions=["resolve"],
        icon="check",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": _("Resolve this contact?"),
            "description": _("The operator is free for one more, and the contact that has waited longest is assigned."),
            "form_submit_text": _("Resolve"),
        },
    )
    def resolve_this(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.from_dialog(
            request, object_id, lambda pk: lifecycle.resolve_contact(contact_id=pk, by=author(request)), resolved
        )

    @action(
        description=_("Open again"),
        permissions=["resolve"],
        icon="undo",
        dialog={
            "title": _("Open this contact again?"),
            "description": _("It goes to the same operator if on duty and below the limit, else to somebody else."),
            "form_submit_text": _("Open again"),
        },
    )
    def reopen_this(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.from_dialog(
            request, object_id, lambda pk: lifecycle.reopen_contact(contact_id=pk, by=author(request)), reopened
        )

    @display(description=_("number"))
    def number(self, contact: Contact) -> str:
        return str(contact.pk)

    @display(description=_("lead"), header=True)
    def person(self, contact: Contact) -> tuple[str, str]:
        return str(contact.lead), looks.reached_by(contact.lead)

    @display(description=_("phone and e-mail"))
    def reached_by(self, contact: Contact) -> str:
        return looks.reached_by(contact.lead)

    @display(description=_("status"), label=COLOURS)
    def status(self, contact: Contact) -> tuple[str, str]:
        return contact.status, str(contact.status.label)

    @display(description=_("status"))
    def state(self, contact: Contact) -> str:
        return str(capfirst(contact.status.label))

    @display(description=_("operator"))
    def handler(self, contact: Contact) -> str:
        """Who has it, or why nobody has."""
        return contact.operator.name if contact.operator else contact.get_waiting_reason_display() or looks.NOTHING

    @display(description=_("place in the queue"))
    def position(self, contact: Contact) -> str:
        return str(contact.queue_position or looks.NOTHING)

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return excerpt(contact)

    @display(description=_("message"))
    def message_text(self, contact: Contact) -> SafeString:
        return linebreaksbr(contact.message or looks.NOTHING)
