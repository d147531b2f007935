"""Pages of contacts: search, explanation, and the actions that resolve and reassign. Registration creates them."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.pagination import DeepPages
from core.admin.verbs import VerbAction, acting_user
from leads import search, warnings
from leads.admin import lead_formatting
from routing import explanation, lifecycle, own_contacts
from routing.admin import contact_history, contact_messages, own_contact_buttons
from routing.admin.forms import GiveForm
from routing.admin.own_contact_buttons import OwnContactButtons
from routing.models import Contact

UNTAKEN = "untaken"  # of the assigned contacts those that their operators have not taken yet
OVERDUE = "overdue"  # of those the ones that should have been taken by now
COLOURS = {
    Contact.Status.WAITING.value: "warning",
    UNTAKEN: "info",
    OVERDUE: "danger",
    Contact.Status.ASSIGNED.value: "primary",
    Contact.Status.RESOLVED.value: "success",
}
FITTING = {
    Contact.Status.WAITING: ("resolve_this", "give_this"),
    Contact.Status.ASSIGNED: ("resolve_this", "give_this", "reroute_this", "return_this"),
    Contact.Status.RESOLVED: ("reopen_this",),
}


class StatusFilter(ChoiceFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        choices = [(value, capfirst(label)) for value, label in Contact.Status.choices]
        return [*choices, (UNTAKEN, capfirst(gettext("not taken yet"))), (OVERDUE, capfirst(gettext("overdue")))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        words = {
            Contact.Status.WAITING: queryset.waiting,
            Contact.Status.ASSIGNED: queryset.open,
            Contact.Status.RESOLVED: queryset.resolved,
            UNTAKEN: queryset.untaken,
            OVERDUE: queryset.overdue,
        }
        return words.get(self.value(), queryset.all)()


def status_text(contact: Contact) -> str:
    if contact.is_untaken:
        return explanation.due_text(contact) or gettext("not taken yet")
    return gettext("taken") if contact.status == Contact.Status.ASSIGNED else str(contact.status.label)


@admin.register(Contact)
class ContactAdmin(OwnContactButtons):
    list_display = ["number", "received", "source", "person", "status", "handler", "excerpt"]
    list_filter = [StatusFilter, ("source", AutocompleteSelectFilter), ("operator", AutocompleteSelectFilter)]
    list_select_related = ["lead", "source", "operator"]
    list_per_page = 50
    search_fields = ["pk"]
    search_help_text = _("Phone, e-mail, name, number, operator or words of the message")
    sortable_by = ()  # newest first: any other order would sort the whole table
    ordering = ["-pk"]
    paginator = DeepPages
    actions = ["resolve_selected", "reopen_selected", "reroute_selected", "return_selected"]
    actions_detail = ["resolve_this", "reopen_this", "give_this", "reroute_this", "return_this", "decline_this"]
    actions_detail_hide_default = True  # no button to Django's log: the page itself shows the history
    change_form_outer_after_template = "routing/contact_history.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if own_contacts.sees_only_own(request.user):
            return redirect(own_contacts.own_contacts_url())
        return super().changelist_view(request, extra_context)

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> list[Any]:
        warned = ["warnings_text"] if obj is not None and obj.warnings else []
        since = ["since", "taken"] if obj is not None and obj.status == Contact.Status.ASSIGNED else []
        if own_contacts.sees_only_own(request.user):  # without links to pages that the user may not view
            return [
                (_("Lead"), {"fields": ["lead_name", "reached_by", "message_text", *warned]}),
                (_("Registration"), {"fields": ["number", "state", "source_name", "received", *since, "resolved_at"]}),
            ]
        waits = obj is not None and obj.status == Contact.Status.WAITING
        return [
            (_("Lead"), {"fields": ["lead", "reached_by", "message_text", *warned]}),
            (
                _("Assignment"),
                {"fields": ["state", *(["reason", "position"] if waits else ["operator", *since])]},
            ),
            (_("Registration"), {"fields": ["number", "source", "received", "resolved_at"]}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts = super().get_queryset(request).prefetch_related("lead__identities__source")
        if request.resolver_match and request.resolver_match.url_name == "routing_contact_changelist":
            contacts = contacts.defer("message").annotate(beginning=formatting.beginning_of("message"))
        return own_contacts.visible_contacts(request.user, contacts)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        return (queryset.filter(search.contacts_matching_or_with_id(search_term)) if search_term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return own_contacts.sees_all(request.user) or own_contacts.answers_contacts(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return own_contacts.sees_all(request.user) or own_contacts.answers_contacts(request.user)

    def has_resolve_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_route_permission(request) or own_contacts.sees_only_own(request.user)

    def has_route_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("routing.change_contact")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        contact = self.get_object(request, object_id)
        if contact and contact.status == Contact.Status.ASSIGNED and own_contacts.sees_only_own(request.user):
            return []  # `own_contact_buttons` has them
        fitting = FITTING[contact.status] if contact else ()
        return [a for a in super().get_actions_detail(request, object_id) if a.action_name.endswith(fitting)]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Contact | None = None,
    ) -> HttpResponse:
        if obj:
            context |= (
                contact_history.text_context(obj)
                if own_contacts.sees_only_own(request.user)
                else contact_history.full_context(obj)
            )
            if own_contacts.is_own(request.user, obj):
                context["own_buttons"] = own_contact_buttons.buttons_for(obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    @VerbAction(
        button=_("Resolve"),
        permission="resolve",
        icon="check",
        variant=ActionVariant.PRIMARY,
        title=_("Resolve this contact?"),
        description=_("The operator gets a free place, and the longest-waiting contact is assigned."),
        submit=_("Resolve"),
    )
    def resolve(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.for_each(
            request,
            contacts,
            lambda pk: lifecycle.resolve_contact(contact_id=pk, by=acting_user(request)),
            contact_messages.resolved,
        )

    @VerbAction(
        button=_("Reopen"),
        permission="resolve",
        icon="undo",
        variant=ActionVariant.PRIMARY,
        title=_("Reopen this contact?"),
        description=_("It goes back to the same operator if on duty and below the limit, otherwise to another one."),
        submit=_("Reopen"),
    )
    def reopen(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.for_each(
            request,
            contacts,
            lambda pk: lifecycle.reopen_contact(contact_id=pk, by=acting_user(request)),
            contact_messages.reopened,
        )

    @action(
        description=_("Assign to…"),
        permissions=["route"],
        icon="person_add",
        dialog={
            "title": _("Assign this contact"),
            "description": _("The history will record that you decided this."),
            "form_class": GiveForm,
            "form_submit_text": _("Assign"),
        },
    )
    def give_this(self, request: HttpRequest, form: GiveForm, object_id: str) -> HttpResponse:
        operator = form.cleaned_data["operator"]
        verb = lifecycle.force_contact if form.cleaned_data["force"] else lifecycle.give_contact
        return self.from_dialog(
            request,
            object_id,
            lambda pk: verb(contact_id=pk, operator_id=operator.pk, by=acting_user(request), **form.expected),
            partial(contact_messages.given, operator),
        )

    @VerbAction(
        button=_("Route to another operator"),
        permission="route",
        icon="shuffle",
        title=_("Route this contact to another operator?"),
        description=_(
            "An operator is chosen from the source's roster. If no other operator is free, the contact stays where "
            "it is."
        ),
        submit=_("Route to another operator"),
    )
    def reroute(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.for_each(
            request,
            contacts,
            lambda pk: lifecycle.reroute_contact(contact_id=pk, by=acting_user(request)),
            contact_messages.rerouted,
        )

    @VerbAction(
        button=_("Return to the queue"),
        menu=_("Return to the queue"),
        permission="route",
        icon="hourglass_empty",
        title=_("Return this contact to the queue?"),
        description=_("It keeps its place by age, and is not assigned to the same operator again."),
        submit=_("Return to the queue"),
    )
    def return_(self, request: HttpRequest, contacts: Iterable[Contact]) -> None:
        self.for_each(
            request,
            contacts,
            lambda pk: lifecycle.return_contact(contact_id=pk, by=acting_user(request)),
            contact_messages.returned,
            contact_messages.after_return,
        )

    @display(description=_("number"))
    def number(self, contact: Contact) -> str:
        return str(contact.pk)

    @display(description=_("received"))
    def received(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.created_at)

    @display(description=_("lead"), header=True)
    def person(self, contact: Contact) -> tuple[str, str]:
        return str(contact.lead), lead_formatting.reached_by(contact.lead)

    @display(description=_("lead"))
    def lead_name(self, contact: Contact) -> str:
        return str(contact.lead)

    @display(description=_("source"))
    def source_name(self, contact: Contact) -> str:
        return str(contact.source)

    @display(description=_("phone and e-mail"))
    def reached_by(self, contact: Contact) -> str:
        return lead_formatting.reached_by(contact.lead)

    @display(description=_("status"), label=COLOURS)
    def status(self, contact: Contact) -> tuple[str, str]:
        colour = (OVERDUE if contact.is_overdue else UNTAKEN) if contact.is_untaken else contact.status.value
        return colour, status_text(contact)

    @display(description=_("status"))
    def state(self, contact: Contact) -> str:
        return str(capfirst(status_text(contact)))

    @display(description=_("assigned at"))
    def since(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.assigned_at) if contact.assigned_at else formatting.NOTHING

    @display(description=_("taken at"))
    def taken(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.accepted_at) if contact.accepted_at else gettext("not yet")

    @display(description=_("operator"))
    def handler(self, contact: Contact) -> str:
        """The operator, or the reason for waiting."""
        return contact.operator.name if contact.operator else contact.get_waiting_reason_display() or formatting.NOTHING

    @display(description=_("reason"))
    def reason(self, contact: Contact) -> str:
        """Why it waits; outside opening hours with the moment when they begin."""
        words, opens_at = contact.get_waiting_reason_display(), contact.source.opens_at
        if contact.waiting_reason != Contact.Waiting.CLOSED_HOURS or not opens_at:
            return words or formatting.NOTHING
        return gettext("%(reason)s, until %(moment)s") % {
            "reason": words,
            "moment": formatting.format_datetime(opens_at),
        }

    @display(description=_("place in the queue"))
    def position(self, contact: Contact) -> str:
        return str(contact.queue_position or formatting.NOTHING)

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return formatting.excerpt(contact.beginning)  # type: ignore[attr-defined] # an annotation

    @display(description=_("warnings"))
    def warnings_text(self, contact: Contact) -> SafeString | str:
        """What the client sent and could not be read, a line each."""
        return formatting.stacked([one.detail for one in warnings.list_warnings(contact)])

    @display(description=_("message"))
    def message_text(self, contact: Contact) -> SafeString:
        return linebreaksbr(contact.message or formatting.NOTHING)
