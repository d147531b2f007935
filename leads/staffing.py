"""Who may serve whom: every change of duty, limit, weight and roster, and what it means for the contacts."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from leads import queue
from leads.models import Contact
from operators import places
from operators.models import Operator
from operators.refusals import Conflict, FieldError, Unknown
from routing import races
from routing.models import RosterEntry, Source


def change_operator(*, operator_id: int, changes: Mapping[str, Any]) -> Operator:
    """Sets any of `name`, `is_active` and `max_load`; contacts that wait may have a place now. Raises Unknown.

    A limit below the present load takes nobody's contact away: the operator gets none until it is below again.
    """
    with transaction.atomic():
        operator = lock_current(operator_id)
        for field, value in changes.items():
            setattr(operator, field, value)
        if "max_load" in changes:
            operator.limit_set_at = timezone.now()
        operator.save(update_fields=[*changes, "limit_set_at", "updated_at"])
    queue.drain_for(operator_id)
    return Operator.objects.get(pk=operator_id)


def archive_operator(*, operator_id: int) -> None:
    """The operator leaves: its open contacts go to others or back to the queue, its closed ones stay as history.

    Raises Unknown.
    """

    def work(attempt: int) -> set[int]:
        operator = lock_current(operator_id)
        operator.archived_at = timezone.now()
        operator.save(update_fields=["archived_at", "updated_at"])
        return return_open_contacts(operator)

    queue.drain(queue.sources_shared_with(races.run(work)))


def restore_operator(*, operator_id: int) -> Operator:
    """An archived operator comes back, with the weights it had. Raises Unknown."""
    with transaction.atomic():
        operator = places.lock([operator_id]).get(operator_id)
        if operator is None:
            raise Unknown("operator", operator_id)
        operator.archived_at = None
        operator.save(update_fields=["archived_at", "updated_at"])
    queue.drain_for(operator_id)
    return operator


def change_source(*, source_id: int, changes: Mapping[str, Any]) -> Source:
    """Sets any of `name`, `description` and `phone_region`. Raises Unknown, or Conflict `name_taken`."""
    with transaction.atomic():
        source = Source.objects.current().select_for_update(no_key=True).filter(pk=source_id).first()
        if source is None:
            raise Unknown("source", source_id)
        for field, value in changes.items():
            setattr(source, field, value)
        save_named(source, [*changes, "updated_at"])
    return source


def create_source(**fields: Any) -> Source:
    """A new source. Raises Conflict `name_taken`."""
    source = Source(**fields)
    save_named(source, None)
    return source


def archive_source(*, source_id: int) -> None:
    """The source closes: bots are refused, its contacts stay readable, what waits is left to a supervisor."""
    with transaction.atomic():
        if not Source.objects.current().filter(pk=source_id).update(archived_at=timezone.now()):
            raise Unknown("source", source_id)
        queue.set_reason(Contact.objects.waiting().filter(source_id=source_id), Contact.Waiting.SOURCE_CLOSED)


def restore_source(*, source_id: int) -> Source:
    """A closed source opens again. Raises Unknown, or Conflict `name_taken` when another has its name by now."""
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).filter(pk=source_id).first()
        if source is None:
            raise Unknown("source", source_id)
        source.archived_at = None
        save_named(source, ["archived_at", "updated_at"])
    queue.drain(queue.sources_shared_with([source_id]))
    return source


def set_weight(*, source_id: int, operator_id: int, weight: int) -> RosterEntry:
    """Puts the operator on the source's roster, or gives it another weight there. Raises Unknown."""
    with transaction.atomic():
        require_current(source_id=source_id, operator_id=operator_id)
        entry, _ = RosterEntry.objects.update_or_create(
            source_id=source_id, operator_id=operator_id, defaults={"weight": weight}
        )
    queue.drain([source_id])
    return entry


def remove_from_roster(*, source_id: int, operator_id: int) -> None:
    """The operator gets no new contacts of this source; those it has stay. Raises Unknown."""
    require_current(source_id=source_id, operator_id=operator_id)
    RosterEntry.objects.filter(source_id=source_id, operator_id=operator_id).delete()
    queue.drain([source_id])


def lock_current(operator_id: int) -> Operator:
    operator = places.lock([operator_id]).get(operator_id)
    if operator is None or operator.archived_at:
        raise Unknown("operator", operator_id)
    return operator


def require_current(*, source_id: int, operator_id: int) -> None:
    if not Source.objects.current().filter(pk=source_id).exists():
        raise Unknown("source", source_id)
    if not Operator.objects.current().filter(pk=operator_id).exists():
        raise Unknown("operator", operator_id)


def return_open_contacts(operator: Operator) -> set[int]:
    """Puts the open contacts of a locked operator back to the queue, each at the place of its age. Their source ids."""
    contacts = list(Contact.objects.open().filter(operator=operator).order_by("pk").select_for_update(no_key=True))
    for contact in contacts:
        contact.save(update_fields=contact.hand_to(None, Contact.Waiting.NONE_AVAILABLE))
    places.set_load(operator.pk, 0)
    return {contact.source_id for contact in contacts}


def save_named(source: Source, fields: list[str] | None) -> None:
    try:
        with transaction.atomic():
            source.save(update_fields=fields)
    except IntegrityError as error:
        detail = f"There is a source named “{source.name}” already."
        raise Conflict("name_taken", detail, (FieldError("name", "name_taken", detail),)) from error
