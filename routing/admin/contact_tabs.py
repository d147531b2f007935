"""The tabs of the list of contacts: what waits, what is assigned, what is resolved, and everything.

Only the short ones are counted, by their own indexes and up to MANY; nobody counts a million resolved contacts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from unfold.views import ChangeList

from routing import queue_stats
from routing.models import Contact, ContactQuerySet

PARAMETER = "status"
MANY = 999

WAITING, ASSIGNED, RESOLVED = Contact.Status.WAITING.value, Contact.Status.ASSIGNED.value, Contact.Status.RESOLVED.value
UNTAKEN, OVERDUE, ALL = "untaken", "overdue", "all"  # the first two are parts of what is assigned
LABELS = {
    WAITING: _("Waiting"),
    ASSIGNED: _("Assigned"),
    UNTAKEN: _("Not taken yet"),
    OVERDUE: _("Overdue"),
    RESOLVED: _("Resolved"),
    ALL: _("All"),
}
ROWS: dict[str, Callable[[ContactQuerySet], ContactQuerySet]] = {
    WAITING: ContactQuerySet.waiting,
    ASSIGNED: ContactQuerySet.open,
    UNTAKEN: ContactQuerySet.untaken,
    OVERDUE: ContactQuerySet.overdue,
    RESOLVED: ContactQuerySet.resolved,
}
COUNTED = (WAITING, ASSIGNED, OVERDUE)
COLUMNS = {
    WAITING: ["person", "waits", "position", "source", "reason", "excerpt"],
    ASSIGNED: ["person", "handler", "since", "status", "source", "excerpt"],
    RESOLVED: ["person", "handler", "closed", "received", "source", "excerpt"],
    ALL: ["number", "received", "source", "person", "status", "handler", "excerpt"],
}
OF_ASSIGNED = (ASSIGNED, UNTAKEN, OVERDUE)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    label: str
    url: str
    count: str  # empty if it is not counted
    is_chosen: bool


def chosen_tab(request: HttpRequest) -> str:
    """What the address asks for: what waits if it asks for nothing, and everything if it only searches or filters."""
    given = request.GET.get(PARAMETER)
    if given is None:
        return ALL if set(request.GET) - {PAGE_VAR, "e"} else WAITING
    if given not in LABELS:
        raise IncorrectLookupParameters
    return given


def columns(tab: str) -> list[str]:
    return COLUMNS[ASSIGNED if tab in OF_ASSIGNED else tab]


def ordering(tab: str) -> list[Any]:
    """What waits longest comes first, or what is due next. The rest by key, because other orders sort the table."""
    if tab == WAITING:
        # By the key itself PostgreSQL would read the table from its beginning until it finds enough that waits.
        return [(F("pk") + 0).asc()]
    return [F("due_at").asc(nulls_last=True), "pk"] if tab in OF_ASSIGNED else ["-pk"]


def count_up_to_many(contacts: QuerySet[Contact]) -> str:
    count = contacts.order_by().values("pk")[: MANY + 1].count()
    return f"{MANY}+" if count > MANY else str(count)


def count_tabs() -> dict[str, str]:
    return {tab: count_up_to_many(ROWS[tab](Contact.objects.all())) for tab in COUNTED}


def list_tabs(changelist: ChangeList, chosen: str, counts: dict[str, str]) -> list[Tab]:
    """The tabs, each with the filters of this list, but not with its search. Filtered lists are not counted."""
    names = [WAITING, ASSIGNED, *((UNTAKEN, OVERDUE) if chosen in OF_ASSIGNED else ()), RESOLVED, ALL]
    is_filtered = changelist.has_active_filters or changelist.query
    dropped = {WAITING: [SEARCH_VAR, "operator__"]}  # nobody has what waits
    return [
        Tab(
            name=name,
            label=str(LABELS[name]),
            url=changelist.get_query_string({PARAMETER: name}, dropped.get(name, [SEARCH_VAR])),
            count="" if is_filtered else counts.get(name, ""),
            is_chosen=name == chosen,
        )
        for name in names
    ]


class ContactList(ChangeList):
    """Shows the contacts of one tab. An action gets the selected ones even if they have left it meanwhile."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name != PARAMETER}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Contact]:
        if request.method == "POST":
            return self.root_queryset.order_by("pk")
        found: Any = super().get_queryset(request, exclude_parameters)
        narrow = ROWS.get(chosen_tab(request))
        return narrow(found) if narrow else found

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.rows: Any = self.result_list
        self.result_list: Any = SimpleLazyObject(partial(with_places, self.rows))

    def version(self) -> tuple[Any, ...]:
        """Changes whenever a row of this page does, or becomes overdue. Reads less than the rows themselves."""
        rows = self.rows.values_list("pk", "operator", "waiting_reason", "updated_at", "due_at")
        now = timezone.now()
        return tuple((*row, due_at is not None and due_at <= now) for *row, due_at in rows)


def with_places(contacts: Iterable[Contact]) -> list[Contact]:
    """The contacts; those that wait with `waits_since` and their places in the queue, with two queries for all."""
    rows = list(contacts)
    waiting = [contact for contact in rows if contact.status == Contact.Status.WAITING]
    if waiting:
        queue_stats.add_positions(waiting)
        since = queue_stats.waiting_since([contact.pk for contact in waiting])
        for contact in waiting:
            contact.waits_since = since.get(contact.pk, contact.created_at)  # type: ignore[attr-defined]
    return rows
