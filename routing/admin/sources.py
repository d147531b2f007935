"""Pages of sources, each with its roster: the operators and their weights."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, Prefetch, QuerySet, Sum, prefetch_related_objects
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
from core.admin.verbs import WORDS, VerbAction, VerbAdmin, acting_author
from core.db import search
from routing import source_actions
from routing.admin import calendar, connecting, holes, rosters
from routing.models import RosterEntry, Source

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


def source_panel(request: HttpRequest, source: Source) -> dict[str, Any]:
    """What the page shows above and below its form."""
    return {
        "holes": list(holes.source_holes(Source.objects.filter(pk=source.pk))),
        "roster": rosters.roster_panel(request, source),
        "connection": connecting.connection(request, source),
    }


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
    change_form_outer_before_template = "routing/source_panel.html"
    change_form_outer_after_template = "routing/source_connecting.html"
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

    @property
    def media(self) -> forms.Media:
        return super().media + rosters.AddForm().media + forms.Media(js=["crm_router/roster.js"])

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        source = self.get_object(request, object_id)
        if source and not source.archived_at and self.has_view_permission(request, source):
            extra_context = (extra_context or {}) | {"source_panel": source_panel(request, source)}
        return super().change_view(request, object_id, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: Source, post_url_continue: str | None = None) -> Any:
        """Leads to the page of the new source, where its roster is."""
        self.message_user(request, _("Source “%(name)s” was added. Now put operators on its roster.") % {"name": obj})
        return redirect("admin:routing_source_change", obj.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Source], search_term: str
    ) -> tuple[QuerySet[Source], bool]:
        return (queryset.filter(search.contains_words(search_term)) if search_term else queryset), False

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return rosters.may_change(request, obj)

    def has_archive_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of a source, and in the list of open sources."""
        return rosters.may_change(request) and (object_id is not None or not archive_is_shown(request))

    def has_restore_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Allowed on the page of a source, and in the list of the archive."""
        return rosters.may_change(request) and (object_id is not None or archive_is_shown(request))

    def save_model(self, request: HttpRequest, obj: Source, form: SourceForm, change: bool) -> None:
        author = acting_author(request)
        if not change:
            obj.pk = source_actions.create_source(**form.cleaned_data, author=author).pk
        elif form.changes:
            source_actions.change_source(source_id=obj.pk, changes=form.changes, seen=form.seen, author=author)

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
