"""Why a source's contacts wait, or the next one would, in a sentence; and what helps, as a button."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from core.changes.models import Change
from operators.duty_plan import DutyPlan, load_plans
from operators.models import Obstacle, Operator
from operators.models.operator import LIMITS
from operators.weekly import HORIZON
from routing.admin import shift_tables
from routing.admin.now.snapshot import Member, Snapshot, fullness
from routing.models import Contact, Source

Waiting = Contact.Waiting


@dataclass(frozen=True, slots=True)
class Remedy:
    """A button or a link. With `sends` it is a button that posts these values to `url`; the page stays."""

    label: str
    url: str
    sends: Mapping[str, Any] = field(default_factory=dict)
    permission: str = ""  # without it only the sentence is shown


@dataclass(frozen=True, slots=True)
class Trouble:
    text: str
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Whom to put on duty: the plans of those who are off duty, and the change by which each went off duty last."""

    plans: Mapping[int, DutyPlan]
    went_off: Mapping[int, int]
    now: datetime

    def best_of(self, members: Iterable[Member]) -> Operator | None:
        """Who is planned next; if nobody is, who was on duty last. None if all are away, by an absence or a pause."""
        able = [one for one in members if one.operator.pk in self.plans and not self.plans[one.operator.pk].is_away]
        return min(able, key=self.rank).operator if able else None

    def rank(self, member: Member) -> tuple[Any, ...]:
        pk = member.operator.pk
        planned = self.plans[pk].availability(self.now, self.now + HORIZON, self.now)
        start = planned[0][0].timestamp() if planned else float("inf")
        return start, -self.went_off.get(pk, 0), -member.weight, pk

    def paused(self, members: Iterable[Member]) -> Operator | None:
        """Whose pause ends first."""
        found = [one.operator for one in members if one.operator.paused_until]
        return min(found, key=lambda one: (one.paused_until, one.pk), default=None)


def read_reserve(operators: Collection[Operator], now: datetime) -> Reserve:
    """Of these operators, who are off duty. In three statements."""
    if not operators:
        return Reserve({}, {}, now)
    off = Change.objects.filter(operator_id=OuterRef("pk"), after__is_active=False).order_by("-pk").values("pk")
    ids = [one.pk for one in operators]
    went_off = Operator.objects.filter(pk__in=ids).values_list("pk", Subquery(off[:1]))
    return Reserve(load_plans(operators), {pk: change or 0 for pk, change in went_off}, now)


def trouble_of(source: Source, snapshot: Snapshot, reserve: Reserve) -> Trouble | None:
    """What is wrong with this source now; None if the next contact finds an operator."""
    queue = snapshot.queues.get(source.pk)
    members = snapshot.rosters.get(source.pk, [])
    if source.opens_at:
        return closed(source, source.opens_at, snapshot.now) if queue else None
    if not members:
        return Trouble(_("Nobody is on the roster."), add_to_roster(source))
    on_duty = [one for one in members if one.operator.is_active]
    if not on_duty:
        return Trouble(_("Nobody on the roster is on duty."), put_on_duty(source, members, reserve))
    if any(one.operator.obstacle is None for one in on_duty):
        return passed_over(source, queue.reason, on_duty, snapshot.now) if queue else None
    full = [one for one in on_duty if one.is_full]
    if len(full) == len(on_duty):
        return Trouble(_("Everybody on duty is at the limit."), raise_limit(source, full, members, reserve))
    if full:
        words = _("Everybody on duty is at the limit, or had enough for this hour or day.")
        return Trouble(words, raise_limit(source, full, members, reserve))
    return Trouble(_("Everybody on duty had enough for this hour or day."), raise_cap(on_duty))


def closed(source: Source, opens_at: datetime, now: datetime) -> Trouble:
    words = _("Outside opening hours until %(moment)s.") % {"moment": shift_tables.moment_text(opens_at, now)}
    url = reverse("routing_source_hours", args=[source.pk])
    return Trouble(words, Remedy(_("Opening hours…"), url, permission="routing.change_source"))


def passed_over(source: Source, reason: str, on_duty: Sequence[Member], now: datetime) -> Trouble | None:
    """Why contacts wait although somebody is free."""
    show = Remedy(_("Show the contacts"), waiting_contacts_url(source.pk))
    if reason == Waiting.NOBODY_REACTED:
        return Trouble(_("Nobody has reacted to the first in the queue."), show)
    if reason == Waiting.RETURNED:
        return Trouble(_("The first in the queue was put back by hand."), show)
    if paced := [one.operator.paced_until for one in on_duty if one.operator.paced_until]:
        moment = shift_tables.moment_text(min(paced), now)
        return Trouble(_("Free operators get them one by one; the next at %(moment)s.") % {"moment": moment})
    return Trouble(_("Those who are free have given them back."), show)


def put_on_duty(source: Source, members: Sequence[Member], reserve: Reserve) -> Remedy:
    if best := reserve.best_of(members):
        label = _("Put %(name)s on duty") % {"name": best}
        return operator_remedy(label, "operator_set", best, field="is_active", value="true", seen="false")
    if paused := reserve.paused(members):
        return operator_remedy(_("End the pause of %(name)s") % {"name": paused}, "operator_resume", paused)
    return add_to_roster(source)


def raise_limit(source: Source, full: Sequence[Member], members: Sequence[Member], reserve: Reserve) -> Remedy:
    """The limit of the one with the highest weight, of several the fullest; by a fifth, at least by one."""
    able = [one for one in full if one.operator.max_load < LIMITS[1] > one.operator.current_load]
    if not able:
        return put_on_duty(source, [one for one in members if not one.operator.is_active], reserve)
    best = max(able, key=lambda one: (one.weight, fullness(one.operator), -one.operator.pk)).operator
    base = max(best.max_load, best.current_load)
    limit = min(LIMITS[1], base + max(1, base // 5))
    label = _("Raise the limit of %(name)s to %(limit)s") % {"name": best, "limit": limit}
    return operator_remedy(label, "operator_set", best, field="max_load", value=limit, seen=best.max_load)


def raise_cap(on_duty: Sequence[Member]) -> Remedy:
    capped = [one for one in on_duty if one.operator.obstacle == Obstacle.CAPPED]
    best = max(capped, key=lambda one: (one.weight, -one.operator.pk)).operator
    url = reverse("admin:operators_operator_change", args=[best.pk])
    label = _("Change how much %(name)s gets…") % {"name": best}
    return Remedy(label, url, permission="operators.change_operator")


def add_to_roster(source: Source) -> Remedy:
    url = reverse("admin:routing_source_change", args=[source.pk])
    return Remedy(_("Add to the roster…"), url, permission="routing.change_source")


def operator_remedy(label: str, view: str, operator: Operator, **sends: object) -> Remedy:
    return Remedy(label, reverse(view, args=[operator.pk]), sends or {"press": "1"}, "operators.change_operator")


def waiting_contacts_url(source_id: int) -> str:
    chosen = {"status": Contact.Status.WAITING, "source__id__exact": source_id}
    return f"{reverse('admin:routing_contact_changelist')}?{urlencode(chosen)}"
