"""Pages of contacts: search, explanation, and the actions that resolve and reassign. Registration creates them."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import linebreaksbr
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.pagination import DeepPages
from core.admin.verbs import Done, VerbAction, VerbAdmin, acting_user
from leads import search
from leads.admin import lead_formatting
from operators.models import Operator
from routing import lifecycle, own_contacts
from routing.admin import contact_history
from routing.admin.forms import GiveForm
from routing.models import Contact

COLOURS = {Contact.Status.WAITING: "warning", Contact.Status.ASSIGNED: "info", Contact.Status.RESOLVED: "success"}
FITTING = {
    Contact.Status.WAITING: ("resolve_this", "give_this"),
    Contact.Status.ASSIGNED: ("resolve_this", "give_this", "reroute_this", "return_this"),
    Contact.Status.RESOLVED: ("reopen_this",),
}


class StatusFilter(ChoiceFilter):
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
    return ngettext("%(count)d contact was resolved.", "%(count)d contacts were resolved.", count) % {"count": count}


def reopened(count: int) -> str:
    return ngettext("%(count)d contact was reopened.", "%(count)d contacts were reopened.", count) % {"count": count}


def given(operator: Operator, count: int) -> str:
    return ngettext(
        "%(count)d contact was assigned to %(name)s.", "%(count)d contacts were assigned to %(name)s.", count
    ) % {
        "count": count,
        "name": operator,
    }


def rerouted(count: int) -> str:
    return ngettext(
        "%(count)d contact was assigned to another operator.",
        "%(count)d contacts were assigned to other operators.",
        count,
    ) % {"count": count}


def returned(count: int) -> str:
    return ngettext(
        "%(count)d contact was returned to the queue.", "%(count)d contacts were returned to the queue.", count
    ) % {"count": count}


def passed_on(count: int) -> str:
    return ngettext(
        "%(count)d contact was returned to the queue and assigned to another operator.",
        "%(count)d contacts were returned to the queue and assigned to other operators.",
        count,
    ) % {"count": count}


def after_return(pk: int) -> Done:
    """The message for a returned contact, which may have been assigned again since."""
    return passed_on if Contact.objects.open().filter(pk=pk).exists() else returned


@admin.register(Contact)
class ContactAdmin(VerbAdmin):
    list_display = ["number", "received", "source", "person", "status", "handler", "excerpt"]
    list_filter = [StatusFilter, ("source", AutocompleteSelectFilter), ("operator", AutocompleteSelectFilter)]
    list_select_related = ["lead", "source", "operator"]
    list_per_page = 50
    search_fields = ["pk"]
    search_help_text = _("Phone, e-mail, name or number")
    sortable_by = ()  # newest first: any other order would sort the whole table
    ordering = ["-pk"]
    paginator = DeepPages
    actions = ["resolve_selected", "reopen_selected", "reroute_selected", "return_selected"]
    actions_detail = ["resolve_this", "reopen_this", "give_this", "reroute_this", "return_this"]
    actions_detail_hide_default = True  # no button to Django's log: the page itself shows the history
    change_form_outer_after_template = "routing/contact_history.html"

    def get_fieldsets(self, request: HttpRequest, obj: Contact | None = None) -> list[Any]:
        if own_contacts.sees_only_own(request.user):  # without links to pages that the user may not view
            return [
                (_("Lead"), {"fields": ["lead_name", "reached_by", "message_text"]}),
                (_("Registration"), {"fields": ["number", "state", "source_name", "received", "resolved_at"]}),
            ]
        waits = obj is not None and obj.status == Contact.Status.WAITING
        return [
            (_("Lead"), {"fields": ["lead", "reached_by", "message_text"]}),
            (_("Assignment"), {"fields": ["state", *(["waiting_reason", "position"] if waits else ["operator"])]}),
            (_("Registration"), {"fields": ["number", "source", "received", "resolved_at"]}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts = super().get_queryset(request).prefetch_related("lead__identities__source")
        return own_contacts.visible_contacts(request.user, contacts)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [
            name for name in self.list_display if not (name == "handler" and own_contacts.sees_only_own(request.user))
        ]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return self.list_filter[:1] if own_contacts.sees_only_own(request.user) else self.list_filter

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
            request, contacts, lambda pk: lifecycle.resolve_contact(contact_id=pk, by=acting_user(request)), resolved
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
            request, contacts, lambda pk: lifecycle.reopen_contact(contact_id=pk, by=acting_user(request)), reopened
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
            lambda pk: verb(contact_id=pk, operator_id=operator.pk, by=acting_user(request)),
            partial(given, operator),
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
            request, contacts, lambda pk: lifecycle.reroute_contact(contact_id=pk, by=acting_user(request)), rerouted
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
            returned,
            after_return,
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
        return contact.status, str(contact.status.label)

    @display(description=_("status"))
    def state(self, contact: Contact) -> str:
        return str(capfirst(contact.status.label))

    @display(description=_("operator"))
    def handler(self, contact: Contact) -> str:
        """The operator, or the reason for waiting."""
        return contact.operator.name if contact.operator else contact.get_waiting_reason_display() or formatting.NOTHING

    @display(description=_("place in the queue"))
    def position(self, contact: Contact) -> str:
        return str(contact.queue_position or formatting.NOTHING)

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return formatting.excerpt(contact.message)

    @display(description=_("message"))
    def message_text(self, contact: Contact) -> SafeString:
        return linebreaksbr(contact.message or formatting.NOTHING)
