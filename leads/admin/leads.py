"""Pages of leads: name, identities and contacts; actions to merge, undo a merge, export and erase."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.pagination import DeepPages
from core.admin.verbs import acting_user
from leads import erasure, lead_editing, merging, search
from leads.admin import duplicates, lead_formatting
from leads.admin.client_tabs import ClientTabs
from leads.admin.duplicates import may_decide
from leads.admin.forms import EraseForm, LeadForm, MergeForm
from leads.admin.identity_dialogs import IdentityDialogs
from leads.admin.lead_tables import ContactInline, FormerNameInline, IdentityInline
from leads.models import Lead, Merge
from routing import explanation

FOUND = 20  # search results shown in the merge dialog


class StandingFilter(ChoiceFilter):
    title = _("leads")
    parameter_name = "leads"
    all_option = ["", _("Current")]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:
        return [("merged", _("Merged into others")), ("erased", _("Erased"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        words = {"merged": queryset.merged, "erased": queryset.erased}
        return words.get(self.value(), queryset.current)()


def available_actions(lead: Lead) -> list[str]:
    """The buttons on the page of this lead."""
    if lead.erased_at:
        return []
    return ["undo_this"] if lead.merged_into_id else ["merge_with", "export_this", "erase_this"]


def undone(count: int) -> str:
    return ngettext("%(count)d merge was undone.", "%(count)d merges were undone.", count) % {"count": count}


def erased(resolved: int) -> str:
    """`resolved`: how many contacts were open."""
    sentence = ngettext("%(count)d open contact was resolved.", "%(count)d open contacts were resolved.", resolved)
    return " ".join([gettext("The lead was erased."), *([sentence % {"count": resolved}] if resolved else [])])


@admin.register(Lead)
class LeadAdmin(ClientTabs, IdentityDialogs):
    list_display = ["title", "phone", "email", "created_at"]
    list_filter = [StandingFilter]
    search_fields = ["name"]
    search_help_text = _("Phone, e-mail, name, number or words of a message")
    list_per_page = 50
    sortable_by = ()
    ordering = ["-pk"]
    paginator = DeepPages
    form = LeadForm
    fields = ["name", "name_added", "phone", "email", "number", "created_at"]
    readonly_fields = ["name_added", "number", "created_at"]
    inlines = [IdentityInline, FormerNameInline, ContactInline]
    actions_detail = [
        "merge_with",
        "export_this",
        "erase_this",
        "undo_this",
        # The buttons of these stand inside the page, beside what they act on.
        "merge_this",
        "detach_this",
        "share_this",
        "unshare_this",
    ]
    change_form_outer_before_template = "leads/lead_standing.html"
    change_form_outer_after_template = "leads/lead_merges.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lead]:
        return (
            super()
            .get_queryset(request)
            .select_related("merged_into", "name_added_through")
            .prefetch_related("identities__source")
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Lead], search_term: str
    ) -> tuple[QuerySet[Lead], bool]:
        return (queryset.filter(search.leads_matching_or_with_id(search_term)) if search_term else queryset), False

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        instead: dict[str, list[Any]] = {
            "merged": ["title", "merged_into", "created_at"],
            "erased": ["title", "erased_at", "created_at"],
        }
        return instead.get(request.GET.get(StandingFilter.parameter_name, ""), self.list_display)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # leads are created by registration

    def has_change_permission(self, request: HttpRequest, obj: Lead | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and (obj is None or obj.is_current)

    def has_decide_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return may_decide(request)

    def get_inlines(self, request: HttpRequest, obj: Lead | None) -> list[Any]:
        """Omits tables that must be empty: a merged lead has neither, an erased lead has no identities."""
        if obj is None or obj.is_current:
            # A page that is saved brings along the tables that it has shown, not one that has appeared since.
            is_sent = "former_names-TOTAL_FORMS" in request.POST
            has_names = is_sent if request.method == "POST" else obj is not None and obj.former_names.exists()
            return [inline for inline in self.inlines if has_names or inline is not FormerNameInline]
        return [ContactInline] if obj.erased_at else []

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        lead = self.get_object(request, object_id)
        buttons = tuple(available_actions(lead)) if lead else ()
        return [a for a in super().get_actions_detail(request, object_id) if a.action_name.endswith(buttons)]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Lead | None = None,
    ) -> HttpResponse:
        if obj:
            context |= self.family(obj) | {"may_decide": may_decide(request)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def family(self, lead: Lead) -> dict[str, Any]:
        """The lead's merges and its possible duplicates."""
        merges = Merge.objects.filter(undone_at__isnull=True)
        own = merges.filter(merged=lead).first()
        taken_in = merges.filter(survivor=lead).prefetch_related("merged__identities").order_by("-pk")
        return {
            "own_merge": own and merge_summary(own, own.survivor),
            "merges": [merge_summary(one, one.merged) for one in taken_in],
            "duplicates": duplicates.duplicates_of(lead) if lead.is_current else [],
        }

    def save_model(self, request: HttpRequest, obj: Lead, form: LeadForm, change: bool) -> None:
        lead_editing.edit_lead(lead_id=obj.pk, changes=form.changes, by=acting_user(request), seen=form.seen)

    @action(description=_("Merge with another lead…"), permissions=["decide"], icon="join")
    def merge_with(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Searches for the other lead and shows it beside this one."""
        lead = self.get_object(request, object_id)
        if lead is None or not lead.is_current:
            return redirect("admin:leads_lead_change", object_id)
        term = request.GET.get("q", "").strip()
        found = Lead.objects.current().filter(search.leads_matching_or_with_id(term)) if term else Lead.objects.none()
        ids = list(found.exclude(pk=lead.pk).order_by("-pk").values_list("pk", flat=True)[: FOUND + 1])
        people = Lead.objects.filter(pk__in=[lead.pk, *ids[:FOUND]]).with_contact_span()
        known = {one.pk: one for one in people.prefetch_related("identities__source")}
        context = {
            "title": gettext("Merge with another lead"),
            "opts": self.opts,
            "original": lead,
            "lead": lead_formatting.lead_card(known.pop(lead.pk)),
            "term": term,
            "found": [
                (lead_formatting.lead_card(known[pk]), duplicates.merge_button(lead, known[pk])) for pk in ids[:FOUND]
            ],
            "are_more": len(ids) > FOUND,
        }
        return render(request, "leads/merge_with.html", self.admin_site.each_context(request) | context)

    @action(
        description=_("Same person: merge…"),
        permissions=["decide"],
        dialog={
            "title": _("Merge these two leads into one?"),
            "description": _(
                "Contacts, phones, e-mails and ids of the other lead move to the remaining one, and the number of "
                "the other lead leads to it. You can undo this on the page of the remaining lead."
            ),
            "form_class": MergeForm,
            "form_submit_text": _("Merge"),
        },
    )
    def merge_this(self, request: HttpRequest, form: MergeForm, object_id: str) -> HttpResponse:
        survivor, other = form.chosen
        return self.from_dialog(
            request,
            str(survivor),
            lambda pk: merging.merge_leads(lead_id=pk, other_id=other, by=acting_user(request)),
            duplicates.merged,
        )

    @action(
        description=_("Undo the merge"),
        permissions=["decide"],
        icon="undo",
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": _("Undo this merge?"),
            "description": _(
                "The two leads are separated, each with what it had before. What was added after the merge stays "
                "with the remaining lead."
            ),
            "form_submit_text": _("Undo the merge"),
        },
    )
    def undo_this(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:
        return self.from_dialog(
            request, object_id, lambda pk: merging.unmerge_lead(lead_id=pk, by=acting_user(request)), undone
        )

    @action(description=_("Export"), permissions=["decide"], icon="download")
    def export_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("leads_lead_file", object_id)

    @action(
        description=_("Erase…"),
        permissions=["decide"],
        icon="person_remove",
        dialog={
            "title": _("Erase this person permanently?"),
            "form_class": EraseForm,
            "form_submit_text": _("Erase permanently"),
        },
    )
    def erase_this(self, request: HttpRequest, form: EraseForm, object_id: str) -> HttpResponse:
        gone: list[Lead] = []
        return self.from_dialog(
            request,
            object_id,
            lambda pk: gone.append(erasure.erase_lead(lead_id=pk, by=acting_user(request))),
            lambda count: erased(gone[0].resolved_with_erasure),
        )

    @display(description=_("lead"), header=True)
    def title(self, lead: Lead) -> tuple[str, str]:
        """Adds the id in a channel for a lead that has neither phone nor e-mail."""
        return str(lead), "" if lead.phone or lead.email else lead_formatting.channel_id(lead) or ""

    @display(description=_("name added by"))
    def name_added(self, lead: Lead) -> str:
        if not (lead.name_added_by and lead.name_added_at):
            return formatting.NOTHING
        return lead_formatting.addition(lead.name_added_by, lead.name_added_through, lead.name_added_at)

    @display(description=_("number"))
    def number(self, lead: Lead) -> str:
        return str(lead.pk)

    @display(description=_("phone"))
    def phone(self, lead: Lead) -> str:
        return lead.phone or formatting.NOTHING

    @display(description=_("e-mail"))
    def email(self, lead: Lead) -> str:
        return lead.email or formatting.NOTHING


def merge_summary(merge: Merge, other: Lead) -> dict[str, Any]:
    """One merge, as the pages of both leads show it."""
    return {
        "lead": formatting.change_page_link(other, lead_formatting.lead_line(other)),
        "at": merge.at,
        "by": explanation.author_text(merge.by),
        "undo": formatting.dialog_link(reverse("admin:leads_lead_undo_this", args=[merge.merged_id]), gettext("Undo…")),
    }
