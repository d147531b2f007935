"""Leads: who they are, how they are reached, what they asked, and who may be the same person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.paginator import InfinitePaginator
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from leads import correction, identities, search
from leads.admin import contacts, looks
from leads.admin.forms import ChangesOnly
from leads.admin.verbs import VerbAdmin
from leads.identities import Unreadable
from leads.models import Contact, Identity, Lead, PossibleDuplicate

DUPLICATES_SHOWN = 20


class LeadForm(ChangesOnly):
    """The lead as it shows itself."""

    phone = forms.CharField(label=_("Phone"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.CharField(label=_("E-mail"), max_length=254, required=False, widget=UnfoldAdminEmailInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(phone=self.instance.phone, email=self.instance.email)

    def clean_phone(self) -> str:
        return readable(self.cleaned_data["phone"], search.as_stored, _("This cannot be a phone number."))

    def clean_email(self) -> str:
        return readable(self.cleaned_data["email"], identities.normal_email, _("This is not an e-mail address."))


def readable(raw: str, read: Any, otherwise: Any) -> str:
    """What was typed, if it can be read as such an identity."""
    try:
        if raw:
            read(raw)
    except Unreadable as error:
        raise forms.ValidationError(otherwise, code="invalid") from error
    return raw


class ReadOnlyInline(TabularInline):
    """Whoever sees the lead sees these; nobody changes them here."""

    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return False

    has_delete_permission = has_change_permission


class IdentityInline(ReadOnlyInline):
    model = Identity
    fields = readonly_fields = ["kind", "value", "raw", "source", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identity]:
        return super().get_queryset(request).select_related("source").order_by("pk")


class ContactInline(ReadOnlyInline):
    model = Contact
    fields = readonly_fields = ["number", "created_at", "source", "operator", "status", "excerpt"]
    per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        return super().get_queryset(request).select_related("source", "operator", "lead").order_by("-pk")

    @display(description=_("number"))
    def number(self, contact: Contact) -> SafeString:
        return looks.link(contact, str(contact.pk))

    @display(description=_("status"))
    def status(self, contact: Contact) -> str:
        return str(capfirst(contact.status.label))

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return contacts.excerpt(contact)


@admin.register(Lead)
class LeadAdmin(VerbAdmin):
    list_display = ["title", "phone", "email", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Phone, e-mail or name")
    list_per_page = 50
    sortable_by = ()
    ordering = ["-pk"]
    paginator = InfinitePaginator
    form = LeadForm
    fields = ["name", "phone", "email", "duplicates", "created_at"]
    readonly_fields = ["duplicates", "created_at"]
    inlines = [IdentityInline, ContactInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lead]:
        return super().get_queryset(request).prefetch_related("identities")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Lead], search_term: str
    ) -> tuple[QuerySet[Lead], bool]:
        return (queryset.filter(search.leads_like(search_term)) if search_term else queryset), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # leads are recognised by the intake

    def save_model(self, request: HttpRequest, obj: Lead, form: LeadForm, change: bool) -> None:
        correction.correct_lead(lead_id=obj.pk, changes=form.changes)

    @display(description=_("lead"))
    def title(self, lead: Lead) -> str:
        return str(lead)

    @display(description=_("phone"))
    def phone(self, lead: Lead) -> str:
        return lead.phone or looks.NOTHING

    @display(description=_("e-mail"))
    def email(self, lead: Lead) -> str:
        return lead.email or looks.NOTHING

    @display(description=_("possible duplicates"))
    def duplicates(self, lead: Lead) -> SafeString | str:
        pairs = PossibleDuplicate.objects.filter(Q(lead=lead) | Q(other=lead)).select_related("lead", "other")
        pairs = pairs.prefetch_related("lead__identities", "other__identities").order_by("pk")[:DUPLICATES_SHOWN]
        others = [pair.other if pair.lead_id == lead.pk else pair.lead for pair in pairs]
        return looks.lines(looks.link(other, f"{other} ({looks.reached_by(other)})") for other in others)


@admin.register(PossibleDuplicate)
class PossibleDuplicateAdmin(VerbAdmin):
    list_display = ["created_at", "first", "second"]
    list_select_related = ["lead", "other"]
    fields = ["lead", "other", "created_at"]
    sortable_by = ()
    ordering = ["-pk"]
    paginator = InfinitePaginator
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[PossibleDuplicate]:
        return super().get_queryset(request).prefetch_related("lead__identities", "other__identities")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PossibleDuplicate | None = None) -> bool:
        return False

    @display(description=_("lead"))
    def first(self, pair: PossibleDuplicate) -> SafeString | str:
        return looks.lines([looks.link(pair.lead), looks.reached_by(pair.lead)])

    @display(description=_("other lead"))
    def second(self, pair: PossibleDuplicate) -> SafeString | str:
        return looks.lines([looks.link(pair.other), looks.reached_by(pair.other)])
