"""Pages of contacts: tabs, search, explanation, and what supervisors do with them. Registration creates them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from core.admin import formatting
from core.admin.pagination import DeepPages
from leads import search
from routing import own_contacts
from routing.admin import contact_tabs
from routing.admin.contact_columns import ContactColumns
from routing.admin.contact_page import ContactPage
from routing.admin.contact_verbs import ContactVerbs
from routing.admin.contact_views import ContactViews
from routing.admin.own_contact_buttons import OwnContactButtons
from routing.models import Contact

LISTS = ("routing_contact_changelist", "routing_contact_live_list")
BY_OPERATOR = ("operator", AutocompleteSelectFilter)


@admin.register(Contact)
class ContactAdmin(ContactColumns, ContactVerbs, ContactViews, ContactPage, OwnContactButtons):
    list_filter = [("source", AutocompleteSelectFilter), BY_OPERATOR]
    list_filter_sheet = True
    list_select_related = ["lead", "source", "operator"]
    list_per_page = 50
    search_fields = ["pk"]
    search_help_text = _("Phone, e-mail, name, number, operator or words of the message")
    sortable_by = ()  # each tab has the order that an index gives: any other would sort the whole table
    paginator = DeepPages
    actions_list = [*ContactVerbs.actions_list, *ContactViews.actions_list]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if own_contacts.sees_only_own(request.user):
            return redirect(own_contacts.own_contacts_url())
        response: Any = super().changelist_view(request, extra_context)
        if "cl" in (getattr(response, "context_data", None) or {}):
            response.context_data |= self.list_context(request, response.context_data["cl"])
            response.context_data |= {
                "bulk_buttons": self.bulk_buttons(request),
                "may_route": self.has_route_permission(request),
            }
        return response

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts = super().get_queryset(request).prefetch_related("lead__identities__source")
        if request.resolver_match and request.resolver_match.url_name in LISTS:
            contacts = contacts.defer("message").annotate(beginning=formatting.beginning_of("message"))
        return own_contacts.visible_contacts(request.user, contacts)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return contact_tabs.columns(contact_tabs.chosen_tab(request))

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        is_list = request.resolver_match is not None and request.resolver_match.url_name in LISTS
        return contact_tabs.ordering(contact_tabs.chosen_tab(request)) if is_list else ["-pk"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Nobody has what waits."""
        by_nobody = contact_tabs.chosen_tab(request) == contact_tabs.WAITING
        return [one for one in self.list_filter if one is not BY_OPERATOR or not by_nobody]

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
