"""Invariants of routing that hold between transactions; `check_routing` checks them and repairs what it can."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from operators.load import lock_operators, set_load
from operators.models import Operator
from routing import history, waiting
from routing.models import Contact, ContactEvent, RosterEntry, Upkeep
from routing.selection import SOURCE_CLOSED

SHOWN = 20  # findings of one kind that are reported


def findings() -> Iterator[str]:
    """Yields a sentence for each violated invariant of routing."""
    yield from (drift.text for drift in drifted_loads())
    yield from exceeded_limits()
    yield from held_by_archived()
    yield from forgotten_contacts()


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
    """Contacts that wait although an operator is free. With QUEUE_BURST, only those that a sweep has passed over."""
    for contact in waiting.assignable_contacts().order_by("pk")[:SHOWN]:
        if not settings.QUEUE_BURST or sweep_passed(contact):
            yield f"Contact {contact.pk} waits although an operator of its source is free."


def sweep_passed(contact: Contact) -> bool:
    """Whether the queue was swept after the last change of the contact and of every operator on its roster."""
    swept_at = Upkeep.objects.values_list("swept_at", flat=True).first()
    if swept_at is None or contact.updated_at > swept_at:
        return False
    roster = RosterEntry.objects.current().filter(source=contact.source_id).select_related("operator")
    return all(max(entry.changed_at, entry.operator.updated_at) < swept_at for entry in roster)


def wrong_decisions() -> Iterator[str]:
    """Stored decisions that differ from the current rule's result for the same candidates and the same draw."""
    for event in ContactEvent.objects.filter(strategy__isnull=False).order_by("pk").iterator():
        decision = history.stored_decision(event)
        if decision is None:
            continue
        if decision.reason == SOURCE_CLOSED and not decision.candidates:
            continue  # the rule does not know whether a source is closed
        again = history.recompute_decision(decision)
        if (again.chosen, again.reason) != (decision.chosen, decision.reason):
            yield f"Contact {event.contact_id}, event {event.pk}: stored {decision.chosen}, recomputed {again.chosen}."


def mend_load(operator_id: int) -> None:
    """Sets the load to the number of open contacts, counted under the operator's lock, which every change takes."""
    with transaction.atomic():
        lock_operators([operator_id])
        set_load(operator_id, Contact.objects.open().filter(operator=operator_id).count())


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
