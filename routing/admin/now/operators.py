"""The operators on the page *Now*, the fullest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.safestring import SafeString

from operators.duty_plan import load_plans
from operators.models import Operator
from routing.admin import contact_tabs, operator_controls, shift_tables
from routing.admin.now.snapshot import Clocks, Snapshot, fullness
from routing.models import Contact

SHOWN = 100


@dataclass(frozen=True, slots=True)
class OperatorLine:
    operator: Operator
    switch: SafeString
    load: SafeString
    duty: str  # what changes the duty next, such as "until 18:00"
    clocks: Clocks
    last_contact_at: datetime | None
    contacts_url: str
    overdue_url: str


def operator_lines(snapshot: Snapshot, *, may_change: bool) -> list[OperatorLine]:
    """First those on duty, by load as a share of the limit; then those who are not. The first SHOWN."""
    shown = sorted(snapshot.operators, key=lambda one: (not one.is_active, -fullness(one), one.name, one.pk))[:SHOWN]
    plans, last = load_plans(shown), last_contacts(shown)
    return [
        OperatorLine(
            operator=one,
            switch=operator_controls.duty_switch(one, may_change=may_change),
            load=operator_controls.load(one),
            duty=shift_tables.duty_text(plans[one.pk], snapshot.now),
            clocks=snapshot.clocks_by_operator.get(one.pk, Clocks()),
            last_contact_at=last.get(one.pk),
            contacts_url=contacts_url(one.pk, contact_tabs.ASSIGNED),
            overdue_url=contacts_url(one.pk, contact_tabs.OVERDUE),
        )
        for one in shown
    ]


def is_overloaded(operator: Operator) -> bool:
    """At the limit or beyond it."""
    return operator.current_load >= operator.max_load


def last_contacts(operators: list[Operator]) -> dict[int, Any]:
    """When each was assigned the newest contact that it has or has had last. One query.

    A range in the order of the index makes PostgreSQL use it; otherwise it may go through all contacts by age.
    """
    own = Contact.objects.filter(operator__gte=OuterRef("pk"), operator__lte=OuterRef("pk"))
    newest = own.order_by("operator", "-pk").values("assigned_at")[:1]
    ids = [one.pk for one in operators]
    return dict(Operator.objects.filter(pk__in=ids).values_list("pk", Subquery(newest)))


def contacts_url(operator_id: int, tab: str) -> str:
    chosen = {contact_tabs.PARAMETER: tab, "operator__id__exact": operator_id}
    return f"{reverse('admin:routing_contact_changelist')}?{urlencode(chosen)}"
