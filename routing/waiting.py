"""Queries about waiting contacts and the operators they wait for, without locks."""

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from core.db import compiled
from core.db.compiled import Columns, Select
from operators.models import Operator
from routing.models import Contact, ContactQuerySet, Exclusion, RosterEntry, RosterQuerySet, Source

LARGEST_ID = 2**63 - 1
CONTACT = Columns(Contact)


def waiting_for(operator_id: Any) -> ContactQuerySet:
    """Waiting contacts that this operator may get: of open sources on whose roster it is, and not given back by it."""
    served = Source.objects.current().filter(roster__operator=operator_id)
    given_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=operator_id)
    return Contact.objects.waiting().filter(~Exists(given_back), source__in=served.values("pk"))


ANYBODY_WAITS = compiled.Exists(waiting_for)
OLDER_WAITS = compiled.Exists(lambda operator_id, pk: waiting_for(operator_id).filter(pk__lt=pk))
OLDEST_FOR: Select[Any] = Select(
    lambda operator_id: (
        waiting_for(operator_id)
        .filter(Exists(Operator.objects.free().filter(pk=operator_id)))
        .order_by("pk")
        .values_list(*CONTACT.names)[:1]
    )
)
SOMEBODY_IS_FREE = compiled.Exists(
    lambda source_id: RosterEntry.objects.current().filter(source=source_id, operator__in=Operator.objects.free())
)
EXCLUDED_FROM: Select[Any] = Select(
    lambda contact_id: Exclusion.objects.filter(contact=contact_id).values_list("operator_id")
)
LAST_OPERATOR: Select[Any] = Select(
    lambda lead_id, pk: (
        Contact.objects.filter(lead=lead_id, pk__lt=pk, operator__isnull=False)
        .order_by("-pk")
        .values_list("operator_id")[:1]
    )
)


def somebody_waits_for(operator_id: int, *, older_than: int | None = None) -> bool:
    """Whether a contact waits for this operator, with an id lower than `older_than` if given."""
    return OLDER_WAITS(operator_id, older_than) if older_than else ANYBODY_WAITS(operator_id)


def oldest_for(operator_id: int) -> Contact | None:
    """The contact that has waited longest for this operator; None if none waits or the operator is not free."""
    return next(iter(CONTACT.instances(OLDEST_FOR(operator_id))), None)


def operators_waited_for(operator_ids: Collection[int]) -> set[int]:
    """The ids of the operators for whom a contact waits, with one query."""
    found = with_oldest_waiting(RosterEntry.objects.filter(operator__in=operator_ids, source__archived_at__isnull=True))
    return set(found.values_list("operator_id", flat=True))


def with_oldest_waiting(entries: QuerySet[RosterEntry]) -> QuerySet[RosterEntry]:
    """The roster entries for whose operator a contact waits in their source.

    Written for PostgreSQL: for EXISTS it would read the whole queue; for the oldest contact of a source it may scan all
    contacts by age. A range over one source in the order of the index makes it use the index.
    """
    given_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=OuterRef(OuterRef("operator")))
    of_source = {"source__gte": OuterRef("source"), "source__lte": OuterRef("source")}
    oldest = Contact.objects.waiting().filter(~Exists(given_back), **of_source).order_by("source", "pk")
    return entries.alias(oldest=Subquery(oldest.values("pk")[:1])).filter(oldest__isnull=False)


def free_operators_waited_for(entries: RosterQuerySet) -> list[int]:
    """Ids of the free operators in these entries for whom a contact waits, in key order."""
    free = entries.current().filter(operator__in=Operator.objects.free())
    return sorted(set(with_oldest_waiting(free).values_list("operator_id", flat=True)))


def sources_with_waiting(sources: QuerySet[Source], waiting: ContactQuerySet) -> QuerySet[Source]:
    """The sources in which any of these contacts wait. Written like `with_oldest_waiting`, for the same reason."""
    of_source = waiting.filter(source__gte=OuterRef("pk"), source__lte=OuterRef("pk")).order_by("source", "pk")
    return sources.alias(oldest=Subquery(of_source.values("pk")[:1])).filter(oldest__isnull=False)


def assignable_contacts() -> ContactQuerySet:
    """Waiting contacts for which an operator on the roster is free who did not give the contact back."""
    given_back = Exclusion.objects.filter(contact=OuterRef(OuterRef("pk")), operator=OuterRef("operator"))
    free = RosterEntry.objects.current().filter(
        ~Exists(given_back), source=OuterRef("source"), operator__in=Operator.objects.free()
    )
    return Contact.objects.waiting().filter(Exists(free)).select_related("source")


def excluded_operator_ids(contact_id: int) -> list[int]:
    """Operators who gave this contact back and are not offered it again."""
    return [operator_id for (operator_id,) in EXCLUDED_FROM(contact_id)]


def excluded_operator_ids_by_contact(contact_ids: Collection[int]) -> dict[int, list[int]]:
    """Contact id to the operators who gave it back, for many contacts with one query."""
    found: dict[int, list[int]] = {contact_id: [] for contact_id in contact_ids}
    for contact_id, operator_id in Exclusion.objects.filter(contact__in=contact_ids).values_list(
        "contact_id", "operator_id"
    ):
        found[contact_id].append(operator_id)
    return found


def last_operator(*, lead_id: int, before: int = LARGEST_ID) -> int | None:
    """The operator of the lead's last contact before the contact with id `before`; None if there is none."""
    return next((operator_id for (operator_id,) in LAST_OPERATOR(lead_id, before)), None)
