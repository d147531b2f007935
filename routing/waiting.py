"""Queries about waiting contacts and the operators they wait for, without locks."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import BigIntegerField, Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from core.db import compiled
from core.db.compiled import Columns, Select
from core.ids import LARGEST
from operators.models import Operator
from routing.models import Contact, ContactQuerySet, Exclusion, RosterEntry, RosterQuerySet, Source

CONTACT = Columns(Contact)
MANY_SOURCES = 100  # of one operator
OPERATOR = Columns(Operator, ["id", "name", "external_ref"])  # what an answer shows of a contact's operator
WITH_OPERATOR = (*CONTACT.names, *(f"operator__{name}" for name in OPERATOR.names))


def oldest_waiting(operator_id: Any) -> Case:
    """As an expression, the id of the contact that has waited longest for this operator; NULL if none waits.

    These are contacts of open sources, in their opening hours, on whose roster the operator is, which it has not given
    back. They are looked up source by source, whatever the statistics say, so that what waits in other sources costs
    nothing; for an operator on very many sources, by age.
    """
    on_rosters = RosterEntry.objects.filter(operator=operator_id)
    entries = on_rosters.in_hours().filter(source__archived_at__isnull=True)
    given_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=operator_id)
    contacts = Contact.objects.waiting().filter(~Exists(given_back)).values("pk")
    by_source = entries.annotate(oldest=Subquery(first_of_source(contacts))).order_by(F("oldest").asc(nulls_last=True))
    by_age = contacts.filter(source__in=entries.values("source")).order_by("pk")
    return Case(
        When(Exists(on_rosters[MANY_SOURCES : MANY_SOURCES + 1]), then=Subquery(by_age[:1])),
        default=Subquery(by_source.values("oldest")[:1]),
        output_field=BigIntegerField(),
    )


def first_of_source(contacts: QuerySet[Contact, Any], source: str = "source") -> QuerySet[Contact, Any]:
    """The oldest of these waiting contacts in the source of the outer query, which names it `source`.

    Written for PostgreSQL: for EXISTS it would read the whole queue; for the oldest contact of a source it may scan all
    contacts by age. A range over one source in the order of the index makes it use the index.
    """
    return contacts.filter(source__gte=OuterRef(source), source__lte=OuterRef(source)).order_by("source", "pk")[:1]


def none_waits(operator_id: Any, older_than: Any = LARGEST) -> GreaterThanOrEqual:
    """As a condition: no contact with an id lower than `older_than` waits for this operator."""
    return GreaterThanOrEqual(Coalesce(oldest_waiting(operator_id), Value(LARGEST, BigIntegerField())), older_than)


OLDEST_FOR: Select[Any] = Select(
    lambda operator_id: Contact.objects.filter(
        Exists(Operator.objects.ready().filter(pk=operator_id)), pk=oldest_waiting(operator_id)
    ).values_list(*CONTACT.names)
)
OLDEST_ID_FOR: Select[tuple[int | None]] = Select(
    lambda operator_id: Operator.objects.filter(pk=operator_id).values_list(oldest_waiting(operator_id))
)
SOMEBODY_IS_READY = compiled.Exists(
    lambda source_id: (
        RosterEntry.objects.current().in_hours().filter(source=source_id, operator__in=Operator.objects.ready())
    )
)
EXCLUDED_FROM: Select[Any] = Select(
    lambda contact_id: Exclusion.objects.filter(contact=contact_id).values_list("operator_id", "until_free")
)
LAST_OPERATOR: Select[Any] = Select(
    lambda lead_id, pk: (
        Contact.objects.filter(lead=lead_id, pk__lt=pk, operator__isnull=False)
        .order_by("-pk")
        .values_list("operator_id")[:1]
    )
)


def contacts_with_operators(rows: Sequence[Sequence[Any]]) -> list[Contact]:
    """The contacts of rows with the columns WITH_OPERATOR, each with its operator."""
    width = len(CONTACT.names)
    contacts = CONTACT.instances([row[:width] for row in rows])
    for contact, row in zip(contacts, rows, strict=True):
        if contact.operator_id:
            [contact.operator] = OPERATOR.instances([row[width:]])
    return contacts


def somebody_waits_for(operator_id: int, *, older_than: int | None = None) -> bool:
    """Whether a contact waits for this operator, with an id lower than `older_than` if given."""
    return any(pk is not None and pk < (older_than or LARGEST) for (pk,) in OLDEST_ID_FOR(operator_id))


def oldest_for(operator_id: int) -> Contact | None:
    """The contact that has waited longest for this operator; None if none waits or the operator is not ready."""
    return next(iter(CONTACT.instances(OLDEST_FOR(operator_id))), None)


def oldest_waiting_ids(operator_ids: Collection[int]) -> dict[int, int]:
    """The operators for whom a contact waits, each with the id of the oldest such contact, with one query."""
    on_rosters = RosterEntry.objects.filter(operator__in=operator_ids)
    entries = on_rosters.in_hours().filter(source__archived_at__isnull=True)
    found: dict[int, int] = {}
    for operator_id, contact_id in with_oldest_waiting(entries).values_list("operator_id", "oldest"):
        found[operator_id] = min(contact_id, found.get(operator_id, contact_id))
    return found


def operators_awaited_by_older(contact: Contact) -> set[int]:
    """The operators on the roster of the contact's source for whom a contact waits that is older than this one: it
    comes first, however long their pace keeps them from it."""
    members = RosterEntry.objects.filter(source=contact.source_id).values_list("operator_id", flat=True)
    return {pk for pk, oldest in oldest_waiting_ids(list(members)).items() if oldest < contact.pk}


def with_oldest_waiting(entries: QuerySet[RosterEntry]) -> QuerySet[Any]:
    """The roster entries for whose operator a contact waits in their source; `oldest` is the id of the oldest one."""
    given_back = Exclusion.objects.filter(contact=OuterRef("pk"), operator=OuterRef(OuterRef("operator")))
    contacts = Contact.objects.waiting().filter(~Exists(given_back)).values("pk")
    return entries.annotate(oldest=Subquery(first_of_source(contacts))).filter(oldest__isnull=False)


def ready_operators_waited_for(entries: RosterQuerySet) -> list[int]:
    """Ids of the operators in these entries for whom a contact waits and who are ready for it, in key order."""
    ready = entries.current().in_hours().filter(operator__in=Operator.objects.ready())
    return sorted(set(with_oldest_waiting(ready).values_list("operator_id", flat=True)))


def sources_with_waiting(sources: QuerySet[Source], waiting: ContactQuerySet) -> QuerySet[Source]:
    """The sources in which any of these contacts wait."""
    return sources.alias(oldest=Subquery(first_of_source(waiting.values("pk"), "pk"))).filter(oldest__isnull=False)


def assignable_contacts() -> ContactQuerySet:
    """Waiting contacts for which an operator on the roster is ready who did not give the contact back."""
    given_back = Exclusion.objects.filter(contact=OuterRef(OuterRef("pk")), operator=OuterRef("operator"))
    entries = RosterEntry.objects.current().in_hours()
    ready = entries.filter(~Exists(given_back), source=OuterRef("source"), operator__in=Operator.objects.ready())
    return Contact.objects.waiting().filter(Exists(ready)).select_related("source")


def next_place_at(contact: Contact) -> datetime | None:
    """When the first operator whom only a cap or the pace keeps from this waiting contact can get it; None if there is
    none, or the contact does not wait."""
    if contact.status != Contact.Status.WAITING:
        return None
    able = Operator.objects.current().filter(is_active=True, current_load__lt=F("max_load"))
    members = RosterEntry.objects.current().in_hours().filter(source=contact.source_id).values("operator")
    able = able.filter(pk__in=members).exclude(pk__in=excluded_operator_ids(contact.pk))
    moments = [[at for at in both if at] for both in able.values_list("capped_until", "paced_until")]
    return min((max(both) for both in moments if both), default=None)


def excluded_operator_ids(contact_id: int, *, offer_again: bool = False) -> list[int]:
    """Operators who gave this contact back or missed it, and are not offered it again; unless `offer_again`, also those
    who are passed over until they become free."""
    return [operator_id for operator_id, until_free in EXCLUDED_FROM(contact_id) if not (offer_again and until_free)]


def excluded_operator_ids_by_contact(contact_ids: Collection[int]) -> dict[int, list[int]]:
    """Contact id to the operators who gave it back, for many contacts with one query."""
    found: dict[int, list[int]] = {contact_id: [] for contact_id in contact_ids}
    for contact_id, operator_id in Exclusion.objects.filter(contact__in=contact_ids).values_list(
        "contact_id", "operator_id"
    ):
        found[contact_id].append(operator_id)
    return found


def last_operator(*, lead_id: int, before: int = LARGEST) -> int | None:
    """The operator of the lead's last contact before the contact with id `before`; None if there is none."""
    return next((operator_id for (operator_id,) in LAST_OPERATOR(lead_id, before)), None)
