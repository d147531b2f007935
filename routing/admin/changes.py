"""The page of changes of configuration: who changed what, when, which way and why; reverts them."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from core.admin import formatting
from core.admin.pagination import DeepPages
from core.admin.verbs import VerbAction, VerbAdmin, acting_author
from core.changes.models import Change, Via
from core.ids import is_id
from operators.models import Operator
from routing import explanation, reverting
from routing.admin import change_sentences
from routing.models import Source

OFFERED = 500  # operators and sources in a filter
HIDDEN_WITHOUT = {
    "key": "access.view_apikey",
    "user": "auth.view_user",
    "role": "auth.view_group",
    "invitation": "auth.view_user",
    "webhook": "notifications.view_webhook",
}


class KnownDropdown(DropdownFilter):
    """A dropdown that redirects to the unfiltered list on a choice that it does not offer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.value() and self.value() not in {value for value, _label in self.lookup_choices}:
            raise IncorrectLookupParameters


class ObjectFilter(KnownDropdown):
    """One operator or source; the chosen one is offered also if it is archived."""

    model: type[Model]

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        rows: Any = self.model._default_manager
        offered = list(rows.current().order_by("name", "pk").values_list("pk", "name")[:OFFERED])
        chosen = self.value()
        if chosen and is_id(chosen) and int(chosen) not in {pk for pk, _name in offered}:
            offered += rows.filter(pk=int(chosen)).values_list("pk", "name")
        return [(str(pk), name) for pk, name in offered]


class OperatorFilter(ObjectFilter):
    title = _("operator")
    parameter_name = "operator"
    model = Operator

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.of_operator(int(self.value())) if self.value() else queryset


class SourceFilter(ObjectFilter):
    title = _("source")
    parameter_name = "source"
    model = Source

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(source_id=int(self.value())) if self.value() else queryset


class AuthorFilter(KnownDropdown):
    title = _("by whom")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        names = Change.objects.of_configuration().order_by("by").values_list("by", flat=True).distinct()
        return [(by, explanation.author_text(by)) for by in names]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(by=self.value()) if self.value() else queryset


class SubjectFilter(KnownDropdown):
    """One key, user or role, such as "key:5": offered only if the button History of its page has led here."""

    title = _("object")
    parameter_name = "subject"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        chosen = request.GET.get(self.parameter_name, "")
        latest = of_subject(chosen).order_by("pk").last()
        return [(chosen, latest.subject if latest else chosen)] if is_subject(chosen) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(pk__in=of_subject(self.value()).values("pk")) if self.value() else queryset


def is_subject(text: str) -> bool:
    kind, _colon, pk = text.partition(":")
    return kind in HIDDEN_WITHOUT and is_id(pk)


def visible_changes(may: Callable[[str], bool]) -> QuerySet[Change]:
    """The changes of configuration that a user may see, of whom `may` knows the permissions; the newest first."""
    changes: QuerySet[Change] = Change.objects.of_configuration()
    for kind, permission in HIDDEN_WITHOUT.items():
        if not may(permission):
            changes = changes.exclude(what__startswith=f"{kind}.")
    return changes.order_by("-pk")


def of_subject(text: str) -> QuerySet[Change]:
    """The changes of the kind and id in a text such as "key:5"; none for another text."""
    if not is_subject(text):
        return Change.objects.none()
    kind, _colon, pk = text.partition(":")
    return Change.objects.filter(what__startswith=f"{kind}.", subject_id=int(pk))


def reverted(count: int) -> str:
    return ngettext("%(count)d change was reverted.", "%(count)d changes were reverted.", count) % {"count": count}


@admin.register(Change)
class ChangeAdmin(VerbAdmin):
    list_display = ["what_text", "author", "at", "reason", "revert_button"]
    list_display_links = None
    list_filter = [OperatorFilter, SourceFilter, AuthorFilter, SubjectFilter]
    list_per_page = 50
    paginator = DeepPages
    ordering = ["-pk"]
    fields = ["what_text", "author", "at", "reason"]
    readonly_fields = fields  # type: ignore[assignment] # the stubs allow no tuples in the one, but in the other
    actions_detail = ["revert_this"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Change | None = None) -> bool:
        return False

    def has_revert_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("changes.revert_change")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        """Without changes of what the user may not see."""
        return visible_changes(request.user.has_perm)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changelist: ChangeList = super().get_changelist_instance(request)
        names = change_sentences.read_names(changelist.result_list)
        for change in changelist.result_list:
            change.names = names
            change.may_be_reverted = self.has_revert_permission(request) and reverting.is_revertible(change)
        return changelist

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        change = self.get_object(request, object_id)
        is_possible = change is not None and reverting.is_revertible(change)
        return super().get_actions_detail(request, object_id) if is_possible else []

    @VerbAction(
        button=_("Revert"),
        permission="revert",
        icon="undo",
        title=_("Revert this change?"),
        description=_(
            "What was before is set again, unless something else was set since. Contacts stay where they have gone."
        ),
        submit=_("Restore the old values"),
    )
    def revert(self, request: HttpRequest, changes: Iterable[Change]) -> None:
        author = acting_author(request)
        self.for_each(request, changes, lambda pk: reverting.revert_change(change_id=pk, author=author), reverted)

    @display(description=_("what"))
    def what_text(self, change: Change) -> str:
        names = getattr(change, "names", None) or change_sentences.read_names([change])
        return change_sentences.change_text(change, names)

    @display(description=_("by whom"))
    def author(self, change: Change) -> str:
        """ "vera, through the back-office"; a way that this version does not know as stored."""
        by = explanation.author_text(change.by)
        if change.by == "API":
            return by
        return f"{by}, {Via(change.via).label if change.via in Via else change.via}"

    @display(description="")
    def revert_button(self, change: Change) -> SafeString | str:
        if not getattr(change, "may_be_reverted", False):
            return ""
        return formatting.dialog_link(reverse("admin:changes_change_revert_this", args=[change.pk]), _("Revert"))
