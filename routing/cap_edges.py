"""Begins to count for caps, and ends caps and paces when their moment has come, as a part of `routing.clock`."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from core import retry
from operators import caps
from operators.load import lock_operators
from operators.models import Operator
from routing import history, queue, turns, waiting
from routing.models import RosterEntry, Source

TOGETHER = 100  # operators of one transaction: many caps end at the same full hour


def end_caps_and_paces(now: datetime) -> str:
    """Operators whose hour, day or pause between two contacts out of the queue is over can be chosen again, and get
    what waits for them."""
    due = [*Operator.objects.filter(capped_until__lte=now).values_list("pk", flat=True)]
    due += Operator.objects.filter(paced_until__lte=now).values_list("pk", flat=True)
    operator_ids = sorted(set(due))
    for start in range(0, len(operator_ids), TOGETHER):
        some = operator_ids[start : start + TOGETHER]
        clear(some, now)
        with queue.leaving_the_rest_to_the_sweep():
            entries = RosterEntry.objects.filter(operator__in=some)
            queue.serve_operators(waiting.ready_operators_waited_for(entries))
        queue.refresh_reasons(Source.objects.filter(roster__operator__in=some))
    return f"{len(operator_ids)} caps and paces ended" if operator_ids else ""


def take_back(now: datetime) -> None:
    """Plans again what a clock that was ahead has counted, inside the caller's transaction: what lies in the future.

    A cap that is not reached ends now, so that the clock does what belongs to that.
    """
    is_later = Q(counted_hour__gt=now) | Q(capped_until__gt=now) | Q(paced_until__gt=now)
    for operator in Operator.objects.filter(is_later).order_by("pk").select_for_update(no_key=True):
        was_capped = operator.capped_until is not None
        recount(operator, now)
        if was_capped:
            operator.capped_until = operator.capped_until or now
        caps.set_pace(operator, now)
        operator.save(update_fields=[*caps.COUNTED, "paced_until"])


def recount(operator: Operator, now: datetime) -> None:
    """Counts for the caps of the locked operator from the history, on the instance."""
    in_hour, in_day = (
        history.count_assignments(operator.pk, begin) if caps.has_cap(operator) else 0
        for begin, _ in caps.periods_of(operator, now)
    )
    caps.set_counts(operator, now, in_hour=in_hour, in_day=in_day)


def clear(operator_ids: Collection[int], now: datetime) -> None:
    """Looks again under the locks: another process may have done it, or one more contact have set a later moment."""
    due = Q(pk__in=operator_ids)
    for attempt in retry.attempts():
        with attempt:
            locked = lock_operators(operator_ids)
            back = [pk for pk, operator in locked.items() if is_back(operator, now)]
            Operator.objects.filter(due, capped_until__lte=now).update(capped_until=None)
            Operator.objects.filter(due, paced_until__lte=now).update(paced_until=None)
            for operator_id in back:
                turns.start_level(operator_id)


def is_back(operator: Operator, now: datetime) -> bool:
    """Whether the operator can be chosen again, or again for contacts that wait, by what is cleared now."""
    before = operator.obstacle, operator.queue_obstacle
    if operator.capped_until and operator.capped_until <= now:
        operator.capped_until = None
    if operator.paced_until and operator.paced_until <= now:
        operator.paced_until = None
    after = operator.obstacle, operator.queue_obstacle
    return any(was and not now_is for was, now_is in zip(before, after, strict=True))
