"""Pages of possible duplicates: shows two leads side by side; a supervisor merges them or dismisses the pair."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from core.admin import formatting
from core.admin.filters import ChoiceFilter
from core.admin.pagination import DeepPages
from core.admin.verbs import VerbAction, acting_user
from leads import merging
from leads.admin import lead_formatting
from leads.admin.client_tabs import ClientTabs
from leads.models import Lead, PossibleDuplicate

SHOWN = 20  # on the page of one lead


class DecisionFilter(ChoiceFilter):
    title = _("decision")
    parameter_name = "decision"
    all_option = ["", _("Undecided")]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, object]]:
        return [("merged", _("Same person")), ("dismissed", _("Different people"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        words = {"merged": queryset.merged, "dismissed": queryset.dismissed}
        return words.get(self.value(), queryset.undecided)()


def may_decide(request: HttpRequest) -> bool:
    """Users who may change leads may merge and dismiss pairs."""
    return request.user.has_perm("leads.change_lead")


def with_leads(pairs: QuerySet[PossibleDuplicate]) -> QuerySet[PossibleDuplicate]:
    """The pairs with everything that `lead_card` shows of both leads."""
    people = Lead.objects.with_contact_span().prefetch_related("identities__source")
    return pairs.prefetch_related(Prefetch("lead", people), Prefetch("other", people))


def duplicates_of(lead: Lead) -> list[dict[str, Any]]:
    """The first SHOWN undecided pairs of this lead, for its page. A decision makes room for the next pair."""
    pairs = PossibleDuplicate.objects.undecided().filter(Q(lead=lead) | Q(other=lead))
    return [
        {
            "person": lead_formatting.lead_card(pair.other if pair.lead_id == lead.pk else pair.lead),
            "buttons": decision_buttons(pair),
        }
        for pair in with_leads(pairs).order_by("pk")[:SHOWN]
    ]


def decision_buttons(pair: PossibleDuplicate) -> SafeString:
    """The buttons for decisions that are still possible."""
    if pair.is_merged:
        return SafeString()
    offered = [merge_button(pair.lead, pair.other)]
    if not pair.dismissed_at:
        dismiss = reverse("admin:leads_possibleduplicate_dismiss_this", args=[pair.pk])
        offered.append(formatting.dialog_link(dismiss, gettext("Different people…")))
    return format_html('<div class="buttons">{}</div>', format_html_join("", "{}", ((one,) for one in offered)))


def merge_button(lead: Lead, other: Lead) -> SafeString:
    url = reverse("admin:leads_lead_merge_this", args=[lead.pk])
    return formatting.dialog_link(f"{url}?other={other.pk}", gettext("Same person: merge…"))


def merged(count: int) -> str:
    return ngettext("%(count)d pair was merged.", "%(count)d pairs were merged.", count) % {"count": count}


def dismissed(count: int) -> str:
    return ngettext(
        "%(count)d pair was removed from the list.", "%(count)d pairs were removed from the list.", count
    ) % {"count": count}


@admin.register(PossibleDuplicate)
class PossibleDuplicateAdmin(ClientTabs):
    list_display = ["first", "second", "noticed", "buttons"]
    list_display_links = None
    list_filter = [DecisionFilter]
    list_per_page = 20
    fields = [("first", "second"), "noticed", "dismissed_at", "buttons"]
    readonly_fields = ["first", "second", "noticed", "buttons"]
    sortable_by = ()
    ordering = ["-pk"]
    paginator = DeepPages
    actions = ["merge_selected", "dismiss_selected"]
    actions_detail = ["dismiss_this"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PossibleDuplicate]:
        return with_leads(super().get_queryset(request))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in self.list_display if name != "buttons" or may_decide(request)]

    def get_fields(self, request: HttpRequest, obj: PossibleDuplicate | None = None) -> list[Any]:
        unfit = {"buttons" if not may_decide(request) else "", "dismissed_at" if not (obj and obj.dismissed_at) else ""}
        return [name for name in self.fields if name not in unfit]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PossibleDuplicate | None = None) -> bool:
        return False

    def has_decide_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return may_decide(request)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        return []  # the dismiss button is shown beside the merge button

    @action(description=_("Same person: merge into the older lead"), permissions=["decide"])
    def merge_selected(self, request: HttpRequest, queryset: QuerySet[PossibleDuplicate]) -> HttpResponse | None:
        """Shows a confirmation page; merges after the user has confirmed."""
        pairs = {pair.pk: pair for pair in queryset}
        if "confirmed" not in request.POST:
            return render(
                request,
                "leads/confirm_merging.html",
                self.admin_site.each_context(request)
                | {
                    "title": gettext("Merge these leads?"),
                    "checkbox_name": ACTION_CHECKBOX_NAME,
                    "pairs": [
                        (pk, lead_formatting.lead_card(pair.lead), lead_formatting.lead_card(pair.other))
                        for pk, pair in pairs.items()
                    ],
                },
            )

        def merge(pk: int) -> Lead:
            pair = pairs[pk]
            return merging.merge_leads(lead_id=pair.lead_id, other_id=pair.other_id, by=acting_user(request))

        self.for_each(request, pairs.values(), merge, merged)
        return None

    @VerbAction(
        button=_("Different people…"),
        menu=_("Different people: remove from the list"),
        permission="decide",
        title=_("Are these different people?"),
        description=_("The pair is removed from the list permanently. Both leads stay unchanged."),
        submit=_("Different people"),
    )
    def dismiss(self, request: HttpRequest, pairs: Iterable[PossibleDuplicate]) -> None:
        self.for_each(request, pairs, lambda pk: merging.dismiss_duplicate(pair_id=pk), dismissed)

    @display(description=_("older lead"))
    def first(self, pair: PossibleDuplicate) -> SafeString | str:
        return lead_formatting.lead_card(pair.lead)

    @display(description=_("newer lead"))
    def second(self, pair: PossibleDuplicate) -> SafeString | str:
        return lead_formatting.lead_card(pair.other)

    @display(description=_("noticed"))
    def noticed(self, pair: PossibleDuplicate) -> str:
        return formatting.format_datetime(pair.created_at)

    @display(description=_("decision"))
    def buttons(self, pair: PossibleDuplicate) -> SafeString | str:
        return decision_buttons(pair) or gettext("Same person")
