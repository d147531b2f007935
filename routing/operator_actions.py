"""Changes of operators: creation, duty, limit, archive and handover, with their effect on contacts."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.changes.models import Via
from core.changes.recording import SERVICE, Author, record_change, values_of
from core.errors import Conflict, FieldError, Unknown, raise_if_overtaken
from operators import caps, duty_plan
from operators.load import lock_operators
from operators.models import Operator, OperatorQuerySet
from routing import cap_edges, due_moments, handover, queue, turns
from routing.models import Contact

EDGES = Author("system", Via.SCHEDULE)  # of what schedules, absences and pauses turn at their edges
RECORDED = ("name", "is_active", "max_load", "external_ref", "max_per_hour", "max_per_day", "queue_pace")
IN_USE, ARCHIVED = {"archived": False}, {"archived": True}


def create_operator(*, author: Author = SERVICE, **fields: Any) -> Operator:
    """Creates an operator, who is not on any roster yet. Raises Conflict `external_ref_taken`."""
    for attempt in retry.attempts():
        with attempt:
            operator = Operator(**fields)
            raise_if_external_ref_taken(operator)
            operator.save(force_insert=True)
            record_creation(operator, author)
    return operator


def record_creation(operator: Operator, author: Author) -> None:
    after = values_of(operator, RECORDED)
    record_change("operator.created", author, before={}, after=after, operator_id=operator.pk)


def change_operator(
    *,
    operator_id: int,
    changes: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
    author: Author = SERVICE,
) -> Operator:
    """Sets any of the fields RECORDED, and assigns waiting contacts to freed places.

    A limit below the present load removes no contacts: the operator gets none until its load is below the limit. A cap
    counts what was assigned since the begin of the hour and day, also before it was set.
    `seen`: the values that the caller wants to change. Raises Unknown, or Conflict: `external_ref_taken`, or
    `changed_meanwhile` if one of `seen` is not the stored one.
    """
    for attempt in retry.attempts():
        with attempt:
            operator = lock_current(operator_id)
            raise_if_overtaken(operator, seen)
            overrule_plan(operator, changes)
            change_locked(operator, changes, author)
    queue.operator_changed(operator_id)
    return retry.reload_rows([operator])[0]


def change_locked(
    operator: Operator,
    changes: Mapping[str, Any],
    author: Author,
    *,
    what: str = "operator.changed",
    more: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
) -> bool:
    """Sets these fields of the locked operator inside the caller's transaction, and records it as `what`.

    `more`: what else the record has, before and after. Returns whether anything has changed. After the commit the
    caller calls `queue.operator_changed`.
    """
    written = [*changes, "updated_at"]
    if changes.get("max_load", operator.max_load) != operator.max_load:
        # After a clock that was ahead: what the operator has is older than the limit, whatever its moments say.
        now = timezone.now()
        last = Contact.objects.open().filter(operator=operator.pk).aggregate(at=Max("assigned_at"))["at"]
        operator.limit_set_at = max(now, last or now)
        written.append("limit_set_at")
    before = values_of(operator, changes)
    was_on_duty, was_away = operator.is_active, operator.obstacle is not None
    for field, value in changes.items():
        setattr(operator, field, value)
    written += set_caps_and_pace(operator, before)
    if was_away and operator.obstacle is None:
        turns.start_level(operator.pk)
    if "external_ref" in changes:
        raise_if_external_ref_taken(operator)
    operator.save(update_fields=written)
    if operator.is_active != was_on_duty:
        (due_moments.start_clock if operator.is_active else due_moments.stop_clock)(operator.pk)
    values = before | {**more[0]}, {**changes} | {**more[1]}
    recorded = record_change(what, author, before=values[0], after=values[1], operator_id=operator.pk)
    return recorded is not None


def set_duty(operator: Operator, is_active: bool, author: Author, *, what: str = "operator.changed") -> bool:
    """Turns the switch of the locked operator inside the caller's transaction, and records it as `what`.

    Every way to change duty comes through here or `change_locked`. Returns whether the switch was turned; after the
    commit the caller calls `queue.operator_changed`.
    """
    if operator.is_active == is_active:
        return False
    return change_locked(operator, {"is_active": is_active}, author, what=what)


def overrule_plan(operator: Operator, changes: Mapping[str, Any]) -> None:
    """Before a change by hand: a switch that it turns stays so until the next edge, and back on duty ends a pause."""
    if changes.get("is_active", operator.is_active) == operator.is_active:
        return
    now = timezone.now()
    if operator.next_edge_at and operator.next_edge_at <= now:
        operator.edges_done_at = now  # edges before this moment are overruled too
        operator.save(update_fields=["edges_done_at"])
    if changes["is_active"] and operator.paused_until:
        operator.paused_until = operator.was_active = None
        duty_plan.load_plan(operator).note_next_edge()
        operator.save(update_fields=["paused_until", "was_active", "next_edge_at"])


def set_caps_and_pace(operator: Operator, before: Mapping[str, Any]) -> list[str]:
    """After new values of the locked operator were set: counts again what concerns its caps, and brings its pace up to
    date. `before`: the former values of all that were set. Returns the names of the columns to save."""
    now, names = timezone.now(), list[str]()
    changed = {name for name, value in before.items() if getattr(operator, name) != value}
    if changed & {"max_per_hour", "max_per_day"}:
        cap_edges.recount(operator, now)
        names += caps.COUNTED
    if "queue_pace" in changed:
        caps.set_pace(operator, now)
        names.append("paced_until")
    return names


def archive_operator(*, operator_id: int, author: Author = SERVICE) -> handover.HandoverCount:
    """Archives the operator: its open contacts go to others or back to the queue, its closed ones stay as history.

    In one transaction. Raises Unknown.
    """

    def leave(operator: Operator) -> None:
        operator.archived_at, operator.next_edge_at = timezone.now(), None
        operator.save(update_fields=["archived_at", "next_edge_at", "updated_at"])
        record_change("operator.archived", author, before=IN_USE, after=ARCHIVED, operator_id=operator_id)

    return handover.hand_over(operator_id=operator_id, by=author.by, before=leave, keep=False)


def hand_over(*, operator_id: int, author: Author = SERVICE) -> handover.HandoverCount:
    """Takes the operator off duty: its open contacts go to others or back to the queue. Raises Unknown."""

    def go_off_duty(operator: Operator) -> None:
        overrule_plan(operator, {"is_active": False})
        set_duty(operator, False, author, what="operator.handed_over")

    return handover.hand_over(operator_id=operator_id, by=author.by, before=go_off_duty, keep=False)


def hand_over_on_duty(*, operator_id: int, author: Author = SERVICE) -> handover.HandoverCount:
    """Routes open contacts to others; the operator stays on duty and keeps those that no other can take."""
    return handover.hand_over(operator_id=operator_id, by=author.by, before=lambda operator: None, keep=True)


def restore_operator(*, operator_id: int, author: Author = SERVICE) -> Operator:
    """Restores an archived operator with its previous weights. Restoring a current one changes nothing.

    Raises Unknown, or Conflict `external_ref_taken` if another operator has its id in other systems now.
    """
    for attempt in retry.attempts():
        with attempt:
            operator = lock_operator(Operator.objects.all(), operator_id)
            was_archived = operator.archived_at is not None
            if was_archived:
                raise_if_external_ref_taken(operator)
                operator.archived_at = None
                operator.save(update_fields=["archived_at", "updated_at"])
                turns.start_level(operator_id)
                record_change("operator.restored", author, before=ARCHIVED, after=IN_USE, operator_id=operator_id)
                plan = duty_plan.load_plan(operator)
                plan.turn_edges(timezone.now())
                plan.save()
                set_duty(operator, plan.is_active, EDGES)
    if not was_archived:
        return operator
    queue.operator_changed(operator_id)
    return retry.reload_rows([operator])[0]


def raise_if_external_ref_taken(operator: Operator) -> None:
    """The unique index refuses one that is taken after this look, and the transaction starts again."""
    reference = operator.external_ref
    if reference is None:
        return
    others = Operator.objects.current().exclude(pk=operator.pk) if operator.pk else Operator.objects.current()
    other = others.filter(external_ref=reference).first()
    if other:
        detail = _("Operator %(id)s has the external_ref “%(reference)s”.") % {"id": other.pk, "reference": reference}
        raise Conflict("external_ref_taken", detail, (FieldError("external_ref", "external_ref_taken", detail),))


def link_account(*, user_id: int, operator_id: int | None, author: Author = SERVICE) -> None:
    """Makes the account that of this operator, or of nobody. The operator who had it before loses it."""
    for attempt in retry.attempts():
        with attempt:
            former = Operator.objects.filter(user=user_id).values_list("pk", flat=True)
            locked = lock_operators({*former, operator_id})
            accounts = dict(Operator.objects.filter(Q(pk__in=locked) | Q(user=user_id)).values_list("pk", "user_id"))
            if not accounts.keys() <= locked.keys():
                raise retry.LostRace  # the account went to another operator before the locks
            # One that gets the account only now is not cleared unrecorded: the unique index refuses what follows.
            Operator.objects.filter(pk__in=locked, user=user_id).exclude(pk=operator_id or 0).update(user=None)
            if operator_id in locked:
                Operator.objects.filter(pk=operator_id).update(user=user_id)
            for pk, account in accounts.items():
                others = None if account == user_id else account
                after = {"user_id": user_id if pk == operator_id else others}
                record_change("operator.linked", author, before={"user_id": account}, after=after, operator_id=pk)


def lock_current(operator_id: int) -> Operator:
    return lock_operator(Operator.objects.current(), operator_id)


def lock_operator(operators: OperatorQuerySet, operator_id: int) -> Operator:
    operator = operators.select_for_update(no_key=True).filter(pk=operator_id).first()
    if operator is None:
        raise Unknown("operator", operator_id)
    return operator
