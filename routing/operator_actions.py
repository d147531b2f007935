"""Who may serve whom: every change of duty, limit, weight and roster, and what it means for the contacts."""

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
    """A new operator, who is on no roster yet."""
    with transaction.atomic():  # also a single statement stands in the line of SQLite's writers
        return Operator.objects.create(**fields)


def change_operator(*, operator_id: int, changes: Mapping[str, Any]) -> Operator:
    """Sets any of `name`, `is_active` and `max_load`; contacts that wait may have a place now. Raises Unknown.

    A limit below the present load takes nobody's contact away: the operator gets none until it is below again.
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
    """The operator leaves: its open contacts go to others or back to the queue, its closed ones stay as history.

    In one transaction. Raises Unknown.
    """

    def leave(operator: Operator) -> None:
        operator.archived_at = timezone.now()
        operator.save(update_fields=["archived_at", "updated_at"])

    return handover.hand_over(operator_id=operator_id, by=by, before=leave, keep=False)


def hand_over(*, operator_id: int, by: str = SYSTEM) -> handover.HandoverCount:
    """The operator goes off duty: its open contacts go to others or back to the queue. Raises Unknown."""

    def go_off_duty(operator: Operator) -> None:
        operator.is_active = False
        operator.save(update_fields=["is_active", "updated_at"])

    return handover.hand_over(operator_id=operator_id, by=by, before=go_off_duty, keep=False)


def hand_over_on_duty(*, operator_id: int, by: str = SYSTEM) -> handover.HandoverCount:
    """The operator gives its open contacts to others, stays on duty, and keeps what nobody else can take."""
    return handover.hand_over(operator_id=operator_id, by=by, before=lambda operator: None, keep=True)


def restore_operator(*, operator_id: int) -> Operator:
    """An archived operator comes back, with the weights it had. Raises Unknown."""
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
