"""Invariants of routing that hold between transactions; `check_routing` checks them and repairs what it can."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from core import retry
from operators import caps
from operators.duty_plan import load_plan, load_plans
from operators.load import lock_operators, set_loads
from operators.models import Operator
from routing import cap_edges, history, opening_hours, waiting
from routing.models import OPEN, WAITING, Contact, ContactEvent, ContactQuerySet
from routing.selection import CLOSED_HOURS, SOURCE_CLOSED

NEARLY = timedelta(minutes=1)  # between the moments at which one assignment is counted and stored, on any host
SHOWN = 20  # findings of one kind that are reported


def findings() -> Iterator[str]:
    """Yields a sentence for each violated invariant of routing."""
    yield from (drift.text for drift in drifted_loads())
    yield from exceeded_limits()
    yield from held_by_archived()
    yield from forgotten_contacts()
    yield from taken_by_nobody()
    yield from opening_hours.wrong_switches()
    yield from (drift.text for drift in wrong_caps())
    yield from (edge.text for edge in forgotten_edges())
    yield from due_in_vain()


@dataclass(frozen=True, slots=True)
class Drift:
    operator_id: int
    text: str


def drifted_loads() -> Iterator[Drift]:
    for operator in operators_with_open_count().exclude(current_load=F("open")):
        yield Drift(
            operator.pk,
            f"{operator_label(operator)} has a load of {operator.current_load}, but {operator.open} open contacts.",
        )


def exceeded_limits() -> Iterator[str]:
    """Operators who were assigned a contact although they were at their limit.

    A load above a limit that was lowered later, or due to a forced assignment, is allowed. So this checks the last
    contact that was neither forced nor assigned before the present limit: those up to it must fit within the limit.
    """
    for operator in operators_above_limit():
        contacts = Contact.objects.open().filter(operator=operator)
        last = contacts.filter(is_forced=False, assigned_at__gt=operator.limit_set_at).order_by("assigned_at").last()
        given = contacts.filter(assigned_at__lte=last.assigned_at).count() if last else 0
        if given > operator.max_load:
            yield f"{operator_label(operator)} was assigned {given} contacts, above the limit of {operator.max_load}."


def explained_excesses() -> Iterator[str]:
    """Operators above their limit by forced assignments or a lowered limit: allowed, reported for information."""
    for operator in operators_above_limit():
        forced = Contact.objects.open().filter(operator=operator, is_forced=True).count()
        over = f"{operator.open} contacts above a limit of {operator.max_load}"
        yield f"{operator_label(operator)} has {over}, {forced} forced."


def held_by_archived() -> Iterator[str]:
    for operator in operators_with_open_count().filter(archived_at__isnull=False, open__gt=0):
        yield f"{operator_label(operator)} is archived, but still has {operator.open} open contacts."


def forgotten_contacts() -> Iterator[str]:
    """Contacts that wait although an operator is free, and its pace allows it."""
    for contact in waiting.assignable_contacts().order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} waits although an operator of its source is free."


def wrong_caps() -> Iterator[Drift]:
    """Operators who have other counts for their caps than the history, or are capped without reason or too long."""
    now = timezone.now()
    has_cap = Q(max_per_hour__isnull=False) | Q(max_per_day__isnull=False)
    last_before = cache(history.last_event_before)
    for operator in Operator.objects.filter(has_cap).order_by("pk"):
        hour, day = caps.periods_of(operator, now)
        in_hour = operator.in_hour if operator.counted_hour == hour[0] else 0
        in_day = operator.in_day if operator.counted_day == day[0] else 0
        until = caps.capped_until(operator, hour, in_hour, day, in_day)
        is_counted = all(
            is_as_counted(operator.pk, number, begin, last_before(begin + NEARLY))
            for number, (begin, _) in ((in_hour, hour), (in_day, day))
        )
        is_overdue = bool(operator.capped_until and operator.capped_until < now - NEARLY)
        has_reason = bool(until) == bool(operator.capped_until and operator.capped_until > now)
        has_changed = not Operator.objects.filter(
            pk=operator.pk, **{name: getattr(operator, name) for name in caps.COUNTED}
        ).exists()
        if (is_overdue or not is_counted or not has_reason) and not has_changed:
            text = f"{operator_label(operator)} counts {in_hour} contacts this hour and {in_day} today for its caps, "
            yield Drift(operator.pk, f"{text}and is capped until {operator.capped_until}: not as the history says.")


def is_as_counted(operator_id: int, counted: int, begin: datetime, last_before: int) -> bool:
    """Whether the history agrees. At the begin of the hour a contact may be counted before it and stored after it. And
    one that a host stores in the hour before, because its clock is behind, is counted in the hour that has begun.

    `last_before`: the last event from before the hour. What was stored earlier may be counted in the hour before, even
    if it is from this hour by a clock that has been set back since.
    """
    fewest = history.count_assignments(operator_id, begin + NEARLY, after_event=last_before)
    most = history.count_assignments(operator_id, begin - caps.AHEAD)
    return fewest <= counted <= most


def mend_caps(operator_id: int) -> None:
    """Counts again under the operator's lock."""
    for attempt in retry.attempts():
        with attempt:
            operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
            cap_edges.recount(operator, timezone.now())
            operator.save(update_fields=caps.COUNTED)


def taken_by_nobody() -> Iterator[str]:
    """Contacts that wait although an operator has taken them: the version before this one gives them back so."""
    for contact in waiting_but_taken().order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} waits, but counts as taken."


def due_in_vain() -> Iterator[str]:
    """Contacts with a moment by which they must be taken, although they were taken, or wait, or are resolved."""
    for contact in due_but_not_untaken().order_by("pk")[:SHOWN]:
        yield f"Contact {contact.pk} is due to be taken, but no operator has it untaken."


def due_but_not_untaken() -> ContactQuerySet:
    in_vain = Q(due_at__isnull=False) & (WAITING | Q(resolved_at__isnull=False) | Q(accepted_at__isnull=False))
    kept = Q(due_left__isnull=False) & (WAITING | OPEN & Q(accepted_at__isnull=False))
    return Contact.objects.filter(in_vain | kept | Q(due_at__isnull=False, due_left__isnull=False))


def waiting_but_taken() -> ContactQuerySet:
    return Contact.objects.waiting().exclude(accepted_at__isnull=True, first_reaction_at__isnull=True)


def mend_taken() -> int:
    """Clears the moments of contacts that wait. Returns of how many."""
    for attempt in retry.attempts():
        with attempt:
            cleared = waiting_but_taken().update(accepted_at=None, first_reaction_at=None)
    return cleared


def mend_due() -> int:
    """Clears the moments of contacts that nobody has untaken. Returns of how many."""
    for attempt in retry.attempts():
        with attempt:
            cleared = due_but_not_untaken().update(due_at=None, due_left=None)
    return cleared


@dataclass(frozen=True, slots=True)
class ForgottenEdge:
    operator_id: int
    text: str


def forgotten_edges() -> Iterator[ForgottenEdge]:
    """Operators whose duty would not be turned when schedule, absence or pause say, but later or never."""
    planned = Q(schedule__isnull=False) | Q(paused_until__isnull=False) | Q(absences__ended_at__isnull=True)
    operators = list(Operator.objects.current().filter(planned).order_by("pk").distinct())
    for plan in load_plans(operators).values():
        operator, stored = plan.operator, plan.operator.next_edge_at
        plan.note_next_edge()
        due = operator.next_edge_at
        if due and (stored is None or stored > due):
            then = f"at {stored.isoformat()}" if stored else "never"
            text = f"{operator_label(operator)} has an edge of duty at {due.isoformat()}, but would be turned {then}."
            yield ForgottenEdge(operator.pk, text)
    for operator in Operator.objects.archived().filter(next_edge_at__isnull=False).order_by("pk"):
        yield ForgottenEdge(operator.pk, f"{operator_label(operator)} is archived, but has an edge of duty.")


def mend_edge(operator_id: int) -> None:
    for attempt in retry.attempts():
        with attempt:
            operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
            if operator.archived_at:
                operator.next_edge_at = None
            else:
                load_plan(operator).note_next_edge()
            operator.save(update_fields=["next_edge_at"])


def wrong_decisions() -> Iterator[str]:
    """Stored decisions that differ from the current rule's result for the same candidates and the same draw."""
    for event in ContactEvent.objects.filter(strategy__isnull=False).order_by("pk").iterator():
        try:
            first, decision = history.stored_first_draw(event), history.stored_decision(event)
        except history.Unreadable as error:
            yield f"Contact {event.contact_id}, event {event.pk}: cannot be read. {error}"
            continue
        if first and history.recompute_decision(first).chosen != first.chosen:
            yield f"Contact {event.contact_id}, event {event.pk}: its first draw is not that of its evidence."
        if decision is None:
            continue
        if decision.reason in (SOURCE_CLOSED, CLOSED_HOURS) and not decision.candidates:
            continue  # the rule does not know whether a source is closed, or open at that hour
        again = history.recompute_decision(decision)
        if (again.chosen, again.reason) != (decision.chosen, decision.reason):
            yield f"Contact {event.contact_id}, event {event.pk}: stored {decision.chosen}, recomputed {again.chosen}."


def mend_load(operator_id: int) -> None:
    """Sets the load to the number of open contacts, counted under the operator's lock, which every change takes."""
    for attempt in retry.attempts():
        with attempt:
            lock_operators([operator_id])
            set_loads({operator_id: Contact.objects.open().filter(operator=operator_id).count()})


def operators_above_limit() -> QuerySet[Any]:
    return operators_with_open_count().filter(open__gt=F("max_load"))


def operators_with_open_count() -> QuerySet[Any]:
    """All operators, including archived ones, each with its number of `open` contacts."""
    counted = (
        Contact.objects.open().filter(operator=OuterRef("pk")).order_by().values("operator").annotate(n=Count("pk"))
    )
    number = Subquery(counted.values("n"), output_field=IntegerField())
    return Operator.objects.annotate(open=Coalesce(number, 0)).order_by("pk")


def operator_label(operator: Operator) -> str:
    return f"Operator {operator.pk} ({operator.name})"
