"""Changes of operators: creation, duty, limit, archive and handover, with their effect on contacts."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from core import retry
from core.errors import Unknown
from operators.models import Operator
from routing import handover, queue
from routing.history import SYSTEM


def create_operator(**fields: Any) -> Operator:
    """Creates an operator, who is not on any roster yet."""
    with transaction.atomic():  # queues for SQLite's writer lock, which a single statement must do as well
        return Operator.objects.create(**fields)


def change_operator(*, operator_id: int, changes: Mapping[str, Any]) -> Operator:
    """Sets any of `name`, `is_active` and `max_load`, and assigns waiting contacts to freed places. Raises Unknown.

    A limit below the present load removes no contacts: the operator gets none until its load is below the limit.
    """
    with transaction.atomic():
        operator = lock_current(operator_id)
        if changes.get("max_load", operator.max_load) != operator.max_load:
            operator.limit_set_at = timezone.now()
        for field, value in changes.items():
            setattr(operator, field, value)
        operator.save(update_fields=[*changes, "limit_set_at", "updated_at"])
    queue.operator_changed(operator_id)
    return retry.reload_rows([operator])[0]


def archive_operator(*, operator_id: int, by: str = SYSTEM) -> handover.HandoverCount:
    """Archives the operator: its open contacts go to others or back to the queue, its closed ones stay as history.

    In one transaction. Raises Unknown.
    """

    def leave(operator: Operator) -> None:
        operator.archived_at = timezone.now()
        operator.save(update_fields=["archived_at", "updated_at"])

    return handover.hand_over(operator_id=operator_id, by=by, before=leave, keep=False)


def hand_over(*, operator_id: int, by: str = SYSTEM) -> handover.HandoverCount:
    """Takes the operator off duty: its open contacts go to others or back to the queue. Raises Unknown."""

    def go_off_duty(operator: Operator) -> None:
        operator.is_active = False
        operator.save(update_fields=["is_active", "updated_at"])

    return handover.hand_over(operator_id=operator_id, by=by, before=go_off_duty, keep=False)


def hand_over_on_duty(*, operator_id: int, by: str = SYSTEM) -> handover.HandoverCount:
    """Routes open contacts to others; the operator stays on duty and keeps those that no other can take."""
    return handover.hand_over(operator_id=operator_id, by=by, before=lambda operator: None, keep=True)


def restore_operator(*, operator_id: int) -> Operator:
    """Restores an archived operator with its previous weights. Raises Unknown."""
    with transaction.atomic():
        operator = Operator.objects.select_for_update(no_key=True).filter(pk=operator_id).first()
        if operator is None:
            raise Unknown("operator", operator_id)
        operator.archived_at = None
        operator.save(update_fields=["archived_at", "updated_at"])
    queue.operator_changed(operator_id)
    return operator


def lock_current(operator_id: int) -> Operator:
    operator = Operator.objects.current().select_for_update(no_key=True).filter(pk=operator_id).first()
    if operator is None:
        raise Unknown("operator", operator_id)
    return operator
