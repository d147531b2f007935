"""Pages of sources, each with its roster: the operators and their weights."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Prefetch, QuerySet, Sum, Window, prefetch_related_objects
from django.forms.models import BaseModelFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from core.admin import formatting
from core.admin.archive import ArchiveFilter, archive_fields, archive_is_shown
from core.admin.forms import ChangesOnly
from core.admin.inlines import UntitledInline
from core.admin.verbs import WORDS, VerbAction, VerbAdmin, acting_author
from core.db import search
from operators.models import Operator
from routing import source_actions
from routing.admin import calendar
from routing.admin.roster_forms import RosterForm, RosterFormSet
from routing.models import RosterEntry, Source
from routing.roster_writing import RosterChange

TIME_OUT = {
    "fields": ["accept_within", "max_offers", "off_duty_after_missed"],
    "description": _(
        "A contact that its operator has not taken in time goes to another one. Only time on duty counts. "
        "300 seconds are 5 minutes, 3600 are an hour."
    ),
}


class SourceForm(ChangesOnly):
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Source.objects.current().filter(name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(WORDS["name_taken"], code="name_taken")
        return name


class RosterInline(UntitledInline):
    model = RosterEntry
    formset = RosterFormSet
    verbose_name = _("operator")  # "Add another operator"
    verbose_name_plural = _("roster")
    form = RosterForm
    fields = ["operator", "weight", "share", "now"]
    readonly_fields = ["share", "now"]
    autocomplete_fields = ["operator"]
    extra = 0
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[RosterEntry]:
        entries = super().get_queryset(request).filter(operator__archived_at__isnull=True)
        total = Window(Sum("weight"), partition_by="source")
        return entries.select_related("operator").annotate(total=total).order_by("operator__name", "operator")

    def get_formset(self, request: HttpRequest, obj: Source | None = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        operator = formset.form.base_fields.get("operator")
        if operator:
            operator.queryset = Operator.objects.current()
            # Operators are created and changed on their own pages.
            operator.widget.can_add_related = operator.widget.can_change_related = False
            operator.widget.can_view_related = operator.widget.can_delete_related = False
        return formset

    def has_view_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return True  # for every user who may view the source

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return may_change(request, obj)

    has_add_permission = has_delete_permission = has_change_permission

    @display(description=_("share"))
    def share(self, entry: RosterEntry) -> str:
        return formatting.share(entry.weight, entry.total) if entry.pk else formatting.NOTHING  # type: ignore[attr-defined]

    @display(description=_("load"))
    def now(self, entry: RosterEntry) -> SafeString | str:
        return formatting.load_bar(**entry.operator.fullness) if entry.pk else formatting.NOTHING


def may_change(request: HttpRequest, source: Source | None) -> bool:
    return request.user.has_perm("routing.change_source") and not (source and source.archived_at)


def roster_change(formset: "BaseModelFormSet[Any, Any]") -> RosterChange | None:
    """What the user has changed in the roster, and the weights that the page has shown of it; None for nothing."""
    weights = {entry.operator_id: entry.weight for entry in formset.save(commit=False)}
    leaving = [entry.operator_id for entry in formset.deleted_objects]
    seen: dict[int, int | None] = {
        form.instance.operator_id: form.present("weight") for form in formset.initial_forms if form.has_changed()
    }
    seen |= {entry.operator_id: None for entry in formset.new_objects}
    return RosterChange(weights, leaving, seen) if weights or leaving else None


def add_roster_summaries(sources: Any) -> None:
    """Adds to each source what the list shows of its roster: the heaviest entries, the number of all and their total
    weight. Does not load the whole roster."""
    roster = RosterEntry.objects.filter(operator__archived_at__isnull=True)
    heaviest = roster.select_related("operator").order_by("-weight", "pk")[: formatting.SHOWN]
    prefetch_related_objects(sources, Prefetch("roster", heaviest, to_attr="heaviest"))
    totals = roster.filter(source__in=[source.pk for source in sources]).values_list("source")
    found = {pk: (count, total) for pk, count, total in totals.annotate(Count("pk"), Sum("weight"))}
    for source in sources:
        source.count, source.total = found.get(source.pk, (0, 0))


def archived(count: int) -> str:
    return ngettext(
        "%(count)d source was closed and archived. Decide what happens to its waiting contacts.",
        "%(count)d sources were closed and archived. Decide what happens to their waiting contacts.",
        count,
    ) % {"count": count}


def restored(count: int) -> str:
    return ngettext(
        "%(count)d source was reopened.",
        "%(count)d sources were reopened.",
        count,
    ) % {"count": count}


@admin.register(Source)
class SourceAdmin(VerbAdmin):
    list_display = ["name", "description", "shares"]
    list_filter = [ArchiveFilter]
    search_fields = ["name"]
    search_help_text = pgettext_lazy("of a source", "Name")
    ordering = ["name", "pk"]
    form = SourceForm
    add_title = _("Add a source")
    history_query = "source=%s"
    readonly_fields = ["holes", "archived_at"]
    inlines = [RosterInline]
    actions = ["archive_selected", "restore_selected"]
    actions_detail = ["open_hours", "archive_this", "restore_this"]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> list[Any]:
        clients = ["phone_region", "phone_format", "unreadable_phones", "may_rename"]
        is_planned = obj is not None and not obj.archived_at and calendar.may_view_calendar(request)
        holes = ["holes"] if is_planned else []
        fields = ["name", "description", *holes, *clients, "strategy", "is_sticky", *archive_fields(obj)]
        return [(None, {"fields": fields}), (_("When nobody takes a contact"), TIME_OUT)]

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: ChangeList = super().get_changelist_instance(request)
        add_roster_summaries(changelist.result_list)
        return changelist

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Source, inline: "InlineModelAdmin[Any, Any]", prefix: str
    ) -> dict[str, Any]:
        """Looks up submitted rows in the whole roster: a row may have moved to another page since."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "POST":
            kwargs.pop("per_page", None)
        return kwargs

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Source], search_term: str
    ) -> tuple[QuerySet[Source], bool]:
        return (queryset.filter(search.contains_words(search_term)) if search_term else queryset), False

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return may_change(request, obj)

    def has_archive_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of a source, and in the list of open sources."""
        return may_change(request, None) and (object_id is not None or not archive_is_shown(request))

    def has_restore_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of a source, and in the list of the archive."""
        return may_change(request, None) and (object_id is not None or archive_is_shown(request))

    def save_model(self, request: HttpRequest, obj: Source, form: SourceForm, change: bool) -> None:
        """Leaves the work to `save_related`: the fields and the roster are saved in one transaction."""

    def save_related(self, request: HttpRequest, form: SourceForm, formsets: Any, change: bool) -> None:
        roster = next(filter(None, map(roster_change, formsets)), None)
        author = acting_author(request)
        if not change:
            created = source_actions.create_source(**form.cleaned_data, roster=roster, author=author)
            form.instance.pk = created.pk
        elif form.changes or roster:
            source_actions.change_source(
                source_id=form.instance.pk, changes=form.changes, seen=form.seen, roster=roster, author=author
            )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        source = self.get_object(request, object_id)
        unfit = ("archive_this", "open_hours") if source and source.archived_at else ("restore_this",)
        return [a for a in super().get_actions_detail(request, object_id) if not a.action_name.endswith(unfit)]

    @action(description=_("Opening hours"), permissions=["archive"], icon="schedule", url_path="open-hours")
    def open_hours(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect("routing_source_hours", object_id)

    @VerbAction(
        button=_("Move to the archive"),
        permission="archive",
        icon="archive",
        title=_("Close this source?"),
        description=_(
            "Its bot is refused immediately. Existing contacts can still be read and resolved; waiting ones stay in "
            "the queue until you decide. You can restore the source later."
        ),
        submit=_("Move to the archive"),
    )
    def archive(self, request: HttpRequest, sources: Iterable[Source]) -> None:
        self.for_each(
            request,
            sources,
            lambda pk: source_actions.archive_source(source_id=pk, author=acting_author(request)),
            archived,
        )

    @VerbAction(
        button=_("Restore from the archive"),
        permission="restore",
        icon="unarchive",
        variant=ActionVariant.PRIMARY,
        title=_("Reopen this source?"),
        description=_("Its bot can register contacts again, and waiting contacts are assigned to free operators."),
        submit=_("Restore"),
    )
    def restore(self, request: HttpRequest, sources: Iterable[Source]) -> None:
        self.for_each(
            request,
            sources,
            lambda pk: source_actions.restore_source(source_id=pk, author=acting_author(request)),
            restored,
        )

    @display(description=_("hours when nobody is planned"))
    def holes(self, source: Source) -> SafeString | str:
        """Those of the next days, the first few, with a link to the calendar."""
        return calendar.holes_summary(source)

    @display(description=_("roster"))
    def shares(self, source: Source) -> str:
        """The heaviest entries of the roster, with their shares."""
        summary: Any = source  # see `add_roster_summaries`
        shown = (f"{one.operator.name} {formatting.share(one.weight, summary.total)}" for one in summary.heaviest)
        return formatting.first_few(shown, count=summary.count)
