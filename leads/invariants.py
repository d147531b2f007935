"""What must be true whenever nothing is in progress; `check_routing` proves it and mends what can be mended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from leads.models import Contact
from operators import places
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be: with which operator, and in words."""

    operator_id: int
    text: str


def findings() -> Iterator[Finding]:
    yield from drifted_loads()
    yield from exceeded_limits()
    yield from held_by_archived()


def drifted_loads() -> Iterator[Finding]:
    for operator in with_open().exclude(current_load=F("open")):
        text = f"{name(operator)} has a load of {operator.current_load}, but {operator.open} open contacts."
        yield Finding(operator.pk, text)


def exceeded_limits() -> Iterator[Finding]:
    """Operators who were given a contact although they were at their limit.

    Being above a limit that was lowered later, or by a forced assignment, is no fault. So we look at the last contact
    that was neither forced nor given before the present limit: those given up to it must fit within the limit.
    """
    for operator in with_open().filter(open__gt=F("max_load")):
        contacts = Contact.objects.open().filter(operator=operator)
        last = contacts.filter(is_forced=False, assigned_at__gt=operator.limit_set_at).order_by("assigned_at").last()
        given = contacts.filter(assigned_at__lte=last.assigned_at).count() if last else 0
        if given > operator.max_load:
            yield Finding(
                operator.pk, f"{name(operator)} was given {given} contacts, above the limit of {operator.max_load}."
            )


def held_by_archived() -> Iterator[Finding]:
    for operator in with_open().filter(archived_at__isnull=False, open__gt=0):
        yield Finding(operator.pk, f"{name(operator)} has left, but still holds {operator.open} open contacts.")


def mend_load(operator_id: int) -> None:
    """Sets the load to the number of open contacts, counted under the lock that every change of either takes."""
    with transaction.atomic():
        places.lock([operator_id])
        places.set_load(operator_id, Contact.objects.open().filter(operator=operator_id).count())


def with_open() -> QuerySet[Any]:
    """All operators, archived ones too, with the number of contacts that each has `open`."""
    counted = (
        Contact.objects.open().filter(operator=OuterRef("pk")).order_by().values("operator").annotate(n=Count("pk"))
    )
    return Operator.objects.annotate(
        open=Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)
    ).order_by("pk")


def name(operator: Operator) -> str:
    return f"Operator {operator.pk} ({operator.name})"
