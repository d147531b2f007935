"""Pages of operators: duty, limit, load, sources, archive and handover."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, F, Prefetch, Q, QuerySet, Sum, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldBooleanSwitchWidget

from core.admin import formatting
from core.admin.archive import ArchiveFilter, archive_fields, archive_is_shown
from core.admin.forms import ChangesOnly, TrimmedField
from core.admin.verbs import WORDS, VerbAction, acting_author
from core.db import search
from core.ids import is_id
from operators.duty_plan import load_plan
from operators.models import Operator
from routing import operator_actions
from routing.admin import consequences, holes, operator_controls, shift_tables
from routing.admin.shifts import ShiftPages
from routing.handover import HandoverCount
from routing.models import RosterEntry, Source

ROSTERS = 50  # roster entries shown on the page of one operator

FULLNESS = F("current_load") * 1.0 / F("max_load")  # the list sorts by how full somebody is

HAND_OVER: dict[str, Any] = {
    "title": _("Hand over all contacts"),
    "icon": "move_up",
    "items": ["hand_over_this", "hand_over_on_duty_this", "leave_this"],
}


class OffDutyForm(BaseDialogForm):
    """Says which sources have nobody on duty when this operator goes."""

    form_before_template = "routing/effects.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        operator = Operator.objects.filter(pk=int(object_id)).first() if object_id and is_id(str(object_id)) else None
        return {"sentences": consequences.of_going_off_duty(operator) if operator else []}


class OperatorForm(ChangesOnly):
    class Meta(ChangesOnly.Meta):
        widgets = {"is_active": UnfoldBooleanSwitchWidget}
        field_classes = ChangesOnly.Meta.field_classes | {"external_ref": TrimmedField}

    def clean_external_ref(self) -> str | None:
        reference: str | None = self.cleaned_data["external_ref"]
        others = Operator.objects.current().exclude(pk=self.instance.pk)
        if reference and others.filter(external_ref=reference).exists():
            raise forms.ValidationError(WORDS["external_ref_taken"], code="external_ref_taken")
        return reference


def open_rosters() -> QuerySet[RosterEntry]:
    """Roster entries of sources that are not archived, ordered by source name."""
    return (
        RosterEntry.objects.filter(source__archived_at__isnull=True).select_related("source").order_by("source__name")
    )


def add_source_summaries(operators: Any) -> None:
    """Adds to each operator what the list shows of its sources: the first ones by name, and their number."""
    prefetch_related_objects(
        operators, Prefetch("rosters", open_rosters()[: formatting.SHOWN], to_attr="first_rosters")
    )
    entries = open_rosters().filter(operator__in=[one.pk for one in operators]).order_by()
    counts = dict(entries.values_list("operator").annotate(Count("pk")))
    for operator in operators:
        operator.count = counts.get(operator.pk, 0)


def operator_panel(request: HttpRequest, operator: Operator) -> dict[str, Any]:
    """What the page shows above its form: what applies at once, and what is wrong."""
    may_change = operator_controls.may_change(request)
    return {
        "duty": operator_controls.duty_switch(operator, may_change=may_change),
        "limit": operator_controls.limit_input(operator, may_change=may_change),
        "load": operator_controls.load(operator),
        "live": operator_controls.live_part([operator]),
        "next": shift_tables.duty_text(load_plan(operator), timezone.now()),
        "shifts": reverse("admin:operators_operator_shifts", args=[operator.pk]),
        "holes": list(holes.operator_holes(Operator.objects.filter(pk=operator.pk))),
    }


def archived(count: int) -> str:
    return ngettext(
        "%(count)d operator was archived. Open contacts go to other operators or back to the queue.",
        "%(count)d operators were archived. Open contacts go to other operators or back to the queue.",
        count,
    ) % {"count": count}


def restored(count: int) -> str:
    return ngettext(
        "%(count)d operator was restored with the former weights.",
        "%(count)d operators were restored with the former weights.",
        count,
    ) % {"count": count}


def handed_over(count: HandoverCount) -> str:
    if not count.reassigned and not count.queued and not count.kept:
        return gettext("Nothing was handed over: there are no open contacts.")
    if not count.reassigned and not count.queued:
        return ngettext(
            "Nothing was handed over: no other operator is free, and %(count)d contact stays.",
            "Nothing was handed over: no other operator is free, and %(count)d contacts stay.",
            count.kept,
        ) % {"count": count.kept}
    return gettext("Handed over: %(reassigned)d, in the queue: %(queued)d, kept: %(kept)d.") % {
        "reassigned": count.reassigned,
        "queued": count.queued,
        "kept": count.kept,
    }


@admin.register(Operator)
class OperatorAdmin(ShiftPages):
    list_display = ["name", "duty_switch", "duty", "limit", "load", "sources"]
    list_after_template = "routing/operators_live.html"
    change_form_outer_before_template = "routing/operator_panel.html"
    list_filter = [ArchiveFilter, ("is_active", BooleanRadioFilter), ("rosters__source", AutocompleteSelectFilter)]
    search_fields = ["name", "external_ref"]
    search_help_text = _("Name or id in other systems")
    ordering = ["name", "pk"]
    form = OperatorForm
    add_title = _("Add an operator")
    history_query = "operator=%s"
    readonly_fields = ["rosters", "channels", "archived_at"]
    actions = [
        "pause_selected",
        "resume_selected",
        "hand_over_selected",
        "hand_over_on_duty_selected",
        "archive_selected",
        "restore_selected",
    ]
    actions_list = ["leave"]
    actions_detail = ["shifts", HAND_OVER, "archive_this", "restore_this"]

    def get_fields(self, request: HttpRequest, obj: Operator | None = None) -> list[Any]:
        """Duty and limit of a current operator stand above the form, where they apply at once."""
        at_once = [] if obj and not obj.archived_at else ["is_active", "max_load"]
        known = ["rosters", "channels"] if obj else []
        caps = ["max_per_hour", "max_per_day", "queue_pace"]
        return ["name", *at_once, *caps, "external_ref", *known, *archive_fields(obj)]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        operator = self.get_object(request, object_id)
        if operator and not operator.archived_at:
            extra_context = (extra_context or {}) | {"panel": operator_panel(request, operator)}
        return super().change_view(request, object_id, form_url, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Operator], search_term: str
    ) -> tuple[QuerySet[Operator], bool]:
        if request.GET.get("model_name") == RosterEntry._meta.model_name:  # the choices for a new roster entry
            queryset = queryset.filter(archived_at__isnull=True)
        if search_term:
            queryset = queryset.filter(search.contains_words(search_term) | Q(external_ref=search_term.strip()))
        return queryset, False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: ChangeList = super().get_changelist_instance(request)
        add_source_summaries(changelist.result_list)
        shift_tables.add_plans(changelist.result_list)
        for operator in changelist.result_list:
            operator.may_be_changed = self.has_change_permission(request, operator)
        controls: Any = changelist  # of its template
        controls.live_part = "" if archive_is_shown(request) else operator_controls.live_part(changelist.result_list)
        return changelist

    def has_change_permission(self, request: HttpRequest, obj: Operator | None = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and not (obj and obj.archived_at)

    def has_archive_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of an operator, and in the list of current operators."""
        return bool(super().has_change_permission(request)) and (object_id is not None or not archive_is_shown(request))

    def has_restore_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of an operator, and in the list of the archive."""
        return bool(super().has_change_permission(request)) and (object_id is not None or archive_is_shown(request))

    def save_model(self, request: HttpRequest, obj: Operator, form: OperatorForm, change: bool) -> None:
        author = acting_author(request)
        if not change:
            obj.pk = operator_actions.create_operator(**form.cleaned_data, author=author).pk
            for hole in holes.operator_holes(Operator.objects.filter(pk=obj.pk)):
                self.message_user(request, hole.sentence, messages.WARNING)
        else:
            operator_actions.change_operator(operator_id=obj.pk, changes=form.changes, seen=form.seen, author=author)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        operator = self.get_object(request, object_id)
        of_current = (*HAND_OVER["items"], "shifts", "archive_this")
        unfit = of_current if operator and operator.archived_at else ("restore_this",)
        return [a for a in super().get_actions_detail(request, object_id) if not a.action_name.endswith(unfit)]

    @VerbAction(
        button=_("And go off duty"),
        menu=_("Hand over all contacts and go off duty"),
        permission="archive",
        icon="logout",
        title=_("Hand over all contacts and go off duty?"),
        description=_("Open contacts go to other operators or back to the queue, and this operator gets no new ones."),
        submit=_("Hand over"),
        form=OffDutyForm,
    )
    def hand_over(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        self.hand_over_each(request, operators, operator_actions.hand_over)
        self.tell_holes(request, operators)

    @VerbAction(
        button=_("And stay on duty"),
        menu=_("Hand over all contacts and stay on duty"),
        permission="archive",
        icon="sync_alt",
        title=_("Hand over all contacts and stay on duty?"),
        description=_("Open contacts go to other operators. Those that no other operator can take stay."),
        submit=_("Hand over"),
    )
    def hand_over_on_duty(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        self.hand_over_each(request, operators, operator_actions.hand_over_on_duty)

    @action(description=_("Leave…"), permissions=["archive"], icon="beach_access")
    def leave(self, request: HttpRequest) -> HttpResponse:
        return redirect("leave")

    @action(description=_("For a leave…"), permissions=["archive"], icon="beach_access")
    def leave_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('leave')}?{urlencode({'operator': object_id})}")

    def hand_over_each(
        self, request: HttpRequest, operators: Iterable[Operator], verb: Callable[..., HandoverCount]
    ) -> None:
        for operator in operators:
            self.run_verb(request, operator, partial(self.hand_over_one, request, operator, verb))

    def hand_over_one(self, request: HttpRequest, operator: Operator, verb: Callable[..., HandoverCount]) -> None:
        count = verb(operator_id=operator.pk, author=acting_author(request))
        words = handed_over(count)
        level = messages.SUCCESS if count.reassigned or count.queued else messages.WARNING
        self.message_user(request, f"{operator}. {words}", level)

    @VerbAction(
        button=_("Move to the archive"),
        permission="archive",
        icon="archive",
        title=_("Move this operator to the archive?"),
        description=_(
            "The operator gets no more contacts. Open contacts go to other operators or back to the queue "
            "immediately; resolved ones stay in the history. You can restore the operator later, but the open "
            "contacts do not come back."
        ),
        submit=_("Move to the archive"),
        form=OffDutyForm,
    )
    def archive(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        self.for_each(
            request,
            operators,
            lambda pk: operator_actions.archive_operator(operator_id=pk, author=acting_author(request)),
            archived,
        )
        self.tell_holes(request, operators)

    def tell_holes(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        """Which sources of these operators have nobody on duty now."""
        sources = Source.objects.current().filter(roster__operator__in=[one.pk for one in operators]).distinct()
        for hole in holes.source_holes(sources):
            self.message_user(request, hole.sentence, messages.WARNING)

    @VerbAction(
        button=_("Restore from the archive"),
        permission="restore",
        icon="unarchive",
        variant=ActionVariant.PRIMARY,
        title=_("Restore this operator?"),
        description=_("The operator returns with the former limit and weights, and can get contacts immediately."),
        submit=_("Restore"),
    )
    def restore(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        author = acting_author(request)
        self.for_each(
            request, operators, lambda pk: operator_actions.restore_operator(operator_id=pk, author=author), restored
        )

    @display(description=_("next change of duty"))
    def duty(self, operator: Operator) -> SafeString | str:
        if operator.archived_at:
            return formatting.NOTHING
        summary: Any = operator  # see `shift_tables.add_plans`
        words = shift_tables.duty_text(summary.plan, timezone.now())
        shifts = reverse("admin:operators_operator_shifts", args=[operator.pk])
        return formatting.link(shifts, words or gettext("Shifts"))

    @display(description=_("on duty"), ordering="is_active")
    def duty_switch(self, operator: Operator) -> SafeString:
        return operator_controls.duty_switch(operator, may_change=operator.may_be_changed)  # type: ignore[attr-defined]

    @display(description=_("limit"), ordering="max_load")
    def limit(self, operator: Operator) -> SafeString:
        return operator_controls.limit_input(operator, may_change=operator.may_be_changed)  # type: ignore[attr-defined]

    @display(description=_("load"), ordering=FULLNESS)
    def load(self, operator: Operator) -> SafeString:
        return operator_controls.load(operator)

    @display(description=_("sources"))
    def sources(self, operator: Operator) -> str:
        summary: Any = operator  # see `add_source_summaries`
        return formatting.first_few((entry.source.name for entry in summary.first_rosters), count=summary.count)

    @display(description=_("channels"))
    def channels(self, operator: Operator) -> SafeString | str:
        """Where the operator gets messages, and the page that lists what was sent."""
        kinds = [one.get_kind_display() for one in operator.channels.filter(removed_at__isnull=True).order_by("pk")]
        listing = f"{reverse('admin:messenger_channel_changelist')}?operator__id__exact={operator.pk}"
        adding = f"{reverse('admin:messenger_channel_add')}?operator={operator.pk}"
        sent = f"{reverse('admin:messenger_notice_changelist')}?channel__operator__id__exact={operator.pk}"
        return formatting.stacked(
            [
                *([formatting.link(listing, ", ".join(kinds))] if kinds else []),
                formatting.link(adding, gettext("Add a channel")),
                *([formatting.link(sent, gettext("Messages sent"))] if kinds else []),
            ]
        )

    @display(description=_("rosters"))
    def rosters(self, operator: Operator) -> SafeString | str:
        """Each source with the operator's weight and share there; archived sources have no shares."""
        entries = open_rosters().filter(operator=operator)
        shown = list(entries[:ROSTERS])
        more = entries.count() - len(shown) if len(shown) == ROSTERS else 0
        beside = RosterEntry.objects.current().filter(source__in=[entry.source_id for entry in shown])
        totals = dict(beside.values_list("source").annotate(Sum("weight")))
        if not shown and not operator.archived_at:
            return formatting.link(reverse("admin:routing_source_changelist"), gettext("Choose a source"))
        return formatting.stacked(
            [
                *(roster_link(entry, 0 if operator.archived_at else totals[entry.source_id]) for entry in shown),
                *([gettext("And %(number)s more.") % {"number": more}] if more else []),
            ]
        )


def roster_link(entry: RosterEntry, total: int) -> SafeString:
    name, weight = entry.source.name, entry.weight
    text = formatting.weight_and_share(name, weight, total) if total else f"{name}: {weight}"
    return formatting.change_page_link(entry.source, text)
