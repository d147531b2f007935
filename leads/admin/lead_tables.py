"""Tables on the page of a lead: its identities, its former names and its contacts."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from core.admin import formatting
from core.admin.inlines import UntitledInline
from leads.admin import lead_formatting
from leads.admin.duplicates import may_decide
from leads.models import FormerName, Identity, Lead
from routing import explanation
from routing.models import Contact


class ReadOnlyInline(UntitledInline):
    """Rows that every user who may view the lead may view, and that are not changed on its page."""

    extra = 0
    max_num = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return False

    has_delete_permission = has_change_permission


class IdentityInline(ReadOnlyInline):
    model = Identity
    fields = readonly_fields = ["kind", "normal", "raw", "source", "is_shared", "added", "buttons"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identity]:
        identities = super().get_queryset(request).select_related("source", "added_through", "lead")
        return identities.order_by("pk")

    def get_fields(self, request: HttpRequest, obj: Lead | None = None) -> list[Any]:
        may_change = may_decide(request) and obj is not None and obj.is_current
        return [name for name in self.fields if name != "buttons" or may_change]

    @display(description=_("value"))
    def normal(self, one: Identity) -> str:
        return lead_formatting.display_phone(one.value) if one.kind == Identity.Kind.PHONE else one.value

    @display(description=_("added by"))
    def added(self, one: Identity) -> str:
        return lead_formatting.addition(one.added_by, one.added_through, one.created_at)

    @display(description=_("decision"))
    def buttons(self, one: Identity) -> SafeString:
        share = gettext("Of this person only…") if one.is_shared else gettext("Belongs to many…")
        offered = {"unshare_this" if one.is_shared else "share_this": share, "detach_this": gettext("Detach…")}
        links = ((identity_link(one, action, text),) for action, text in offered.items())
        return format_html('<div class="buttons">{}</div>', format_html_join("", "{}", links))


def identity_link(one: Identity, action: str, text: str) -> SafeString:
    url = reverse(f"admin:leads_lead_{action}", args=[one.lead_id])
    return formatting.dialog_link(f"{url}?identity={one.pk}", text)


class FormerNameInline(ReadOnlyInline):
    model = FormerName
    fields = readonly_fields = ["name", "added", "added_at", "author", "replaced_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FormerName]:
        return super().get_queryset(request).select_related("added_through").order_by("-replaced_at", "-pk")

    @display(description=_("added by"))
    def added(self, former: FormerName) -> str:
        return lead_formatting.author_and_source(former.added_by or "", former.added_through)

    @display(description=_("replaced by"))
    def author(self, former: FormerName) -> str:
        return explanation.author_text(former.replaced_by)


class ContactInline(ReadOnlyInline):
    model = Contact
    fields = readonly_fields = ["number", "received", "source", "operator", "status", "excerpt"]
    per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts = super().get_queryset(request).select_related("source", "operator", "lead").order_by("-pk")
        return contacts.defer("message").annotate(beginning=formatting.beginning_of("message"))

    @display(description=_("number"))
    def number(self, contact: Contact) -> SafeString:
        return formatting.change_page_link(contact, str(contact.pk))

    @display(description=_("received"))
    def received(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.created_at)

    @display(description=_("status"))
    def status(self, contact: Contact) -> str:
        return str(capfirst(contact.status.label))

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return formatting.excerpt(contact.beginning)  # type: ignore[attr-defined] # an annotation
