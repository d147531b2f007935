"""Changes of sources and their rosters, with their effect on waiting contacts."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from core import retry
from core.errors import Conflict, FieldError, Invalid, Unknown
from operators.models import Operator
from routing import queue
from routing.models import Contact, RosterEntry, Source


def change_source(*, source_id: int, changes: Mapping[str, Any]) -> Source:
    """Sets any of `name`, `description`, `phone_region`, `strategy` and `is_sticky`.

    Raises Unknown, or Conflict `name_taken`.
    """
    with transaction.atomic():
        source = lock_source(source_id)
        for field, value in changes.items():
            setattr(source, field, value)
        save_named(source, [*changes, "updated_at"])
    return source


def create_source(**fields: Any) -> Source:
    """Creates a source. Raises Conflict `name_taken`."""
    source = Source(**fields)
    with transaction.atomic():
        save_named(source, None)
    return source


def archive_source(*, source_id: int) -> None:
    """Closes the source: registrations are refused, contacts stay readable, a supervisor handles the waiting ones."""
    with transaction.atomic():
        if not Source.objects.current().filter(pk=source_id).update(archived_at=timezone.now()):
            raise Unknown("source", source_id)
        waiting = Contact.objects.waiting().filter(source_id=source_id)
        queue.set_waiting_reason(
            waiting.exclude(waiting_reason=Contact.Waiting.RETURNED), Contact.Waiting.SOURCE_CLOSED
        )


def restore_source(*, source_id: int) -> Source:
    """Opens a closed source again. Raises Unknown, or Conflict `name_taken` if another source has its name now."""
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).filter(pk=source_id).first()
        if source is None:
            raise Unknown("source", source_id)
        source.archived_at = None
        save_named(source, ["archived_at", "updated_at"])
    queue.sources_changed([source_id])
    return source


def set_weight(*, source_id: int, operator_id: int, weight: int) -> RosterEntry:
    """Adds the operator to the source's roster, or changes its weight there. Raises Unknown."""
    with transaction.atomic():
        require_source(source_id)
        require_operator(operator_id)
        entry, _ = RosterEntry.objects.update_or_create(
            source_id=source_id, operator_id=operator_id, defaults={"weight": weight}
        )
    queue.sources_changed([source_id])
    return entry


def replace_roster(*, source_id: int, weights: Sequence[Mapping[str, int]]) -> list[RosterEntry]:
    """Replaces the whole roster with these `operator_id` and `weight` pairs, atomically. Raises Unknown or Invalid.

    Archived operators lose their entry too, also for the case that they are restored.
    """
    wanted = {row["operator_id"]: row["weight"] for row in weights}
    if len(wanted) < len(weights):
        raise Invalid(FieldError("operator_id", "repeated", gettext("An operator can be on a roster only once.")))

    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            roster = RosterEntry.objects.filter(source_id=source_id)
            leaving = roster.exclude(operator__in=wanted).values_list("operator_id", flat=True)
            write_roster(source_id, wanted, leaving)
            entries = list(roster.order_by("operator_id"))
    queue.sources_changed([source_id])
    return entries


def change_roster(*, source_id: int, weights: Mapping[int, int], leaving: Collection[int] = ()) -> None:
    """Sets these weights by operator id and removes the leaving operators, or changes nothing. Raises Unknown.

    Other entries keep concurrent changes. A leaving operator who is not on the roster is ignored.
    """

    for attempt in retry.attempts():
        with attempt:
            lock_source(source_id)
            write_roster(source_id, weights, leaving)
    queue.sources_changed([source_id])


def write_roster(source_id: int, weights: Mapping[int, int], leaving: Collection[int]) -> None:
    known = Operator.objects.current().filter(pk__in=weights).values_list("pk", flat=True)
    unknown = set(weights) - set(known)
    if unknown:
        raise Unknown("operator", min(unknown))
    RosterEntry.objects.filter(source_id=source_id, operator__in=list(leaving)).delete()
    RosterEntry.objects.bulk_create(
        [RosterEntry(source_id=source_id, operator_id=pk, weight=weight) for pk, weight in sorted(weights.items())],
        update_conflicts=True,
        unique_fields=["source", "operator"],
        update_fields=["weight", "changed_at"],
    )


def remove_from_roster(*, source_id: int, operator_id: int) -> None:
    """Removes the operator from the roster: it gets no new contacts of this source, keeps its own. Raises Unknown."""
    with transaction.atomic():
        require_source(source_id)
        removed, _ = RosterEntry.objects.current().filter(source_id=source_id, operator_id=operator_id).delete()
        if not removed:
            raise Unknown("operator on this roster", operator_id)
    queue.sources_changed([source_id])


def lock_source(source_id: int) -> Source:
    """Locks the source: other changes of it or of its whole roster wait; routing does not."""
    source = Source.objects.current().select_for_update(no_key=True).filter(pk=source_id).first()
    if source is None:
        raise Unknown("source", source_id)
    return source


def require_source(source_id: int) -> None:
    if not Source.objects.current().filter(pk=source_id).exists():
        raise Unknown("source", source_id)


def require_operator(operator_id: int) -> None:
    if not Operator.objects.current().filter(pk=operator_id).exists():
        raise Unknown("operator", operator_id)


def save_named(source: Source, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=fields)
    except IntegrityError as error:
        detail = gettext("Source “%(name)s” already exists.") % {"name": source.name}
        raise Conflict("name_taken", detail, (FieldError("name", "name_taken", detail),)) from error
