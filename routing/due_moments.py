"""The moments by which operators must take their contacts. The clock of a contact runs while its operator is on duty.

Set with the assignment (`contact_changes.assigned_to`), from the `accept_within` of the contact's source.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.db.compiled import Select
from routing.models import Contact, Source

TOGETHER = 1_000  # contacts in one statement

ACCEPT_WITHIN: Select[tuple[int | None]] = Select(
    lambda source_id: Source.objects.filter(pk=source_id).values_list("accept_within")
)


def accept_within(source_id: int) -> int | None:
    """Seconds in which contacts of this source must be taken; None for no limit."""
    return next((seconds for (seconds,) in ACCEPT_WITHIN(source_id)), None)


def due_fields(seconds: float | None, *, is_on_duty: bool = True) -> dict[str, Any]:
    """The columns of a contact that is assigned now, to be taken within this time on duty."""
    if seconds is None:
        return {"due_at": None, "due_left": None}
    if not is_on_duty:
        return {"due_at": None, "due_left": float(seconds)}
    return {"due_at": timezone.now() + timedelta(seconds=seconds), "due_left": None}


def stop_clock(operator_id: int) -> None:
    """The operator goes off duty: what is left of the time is kept. The caller holds the operator's lock."""
    now = timezone.now()
    running = Contact.objects.open().filter(operator=operator_id, due_at__isnull=False)
    for pk, due_at in in_key_order(running, "due_at"):
        left = max((due_at - now).total_seconds(), 0.0)
        Contact.objects.filter(pk=pk).update(due_at=None, due_left=left)


def start_clock(operator_id: int) -> None:
    """The operator is on duty again: the time that was left begins to run. The caller holds the operator's lock."""
    now = timezone.now()
    standing = Contact.objects.open().filter(operator=operator_id, due_left__isnull=False)
    for pk, left in in_key_order(standing, "due_left"):
        Contact.objects.filter(pk=pk).update(due_at=now + timedelta(seconds=left), due_left=None)


def clear_moments(source_id: int) -> None:
    """The source has no limit any more."""
    timed = Contact.objects.open().filter(Q(due_at__isnull=False) | Q(due_left__isnull=False), source=source_id)
    pks = [pk for (pk,) in in_key_order(timed)]
    for start in range(0, len(pks), TOGETHER):
        Contact.objects.filter(pk__in=pks[start : start + TOGETHER]).update(due_at=None, due_left=None)


def renew_moments(now: datetime) -> int:
    """Gives everything that is due the whole time of its source from now on. Returns the number of contacts."""
    due = Contact.objects.open().filter(due_at__lte=now)
    by_time: dict[int | None, list[int]] = {}
    for pk, seconds in in_key_order(due, "source__accept_within"):
        by_time.setdefault(seconds, []).append(pk)
    return give_time(by_time, now)


def shorten_moments(now: datetime) -> int:
    """After a clock that was ahead: nothing is due later than the whole time of its source from now on. Returns the
    number of contacts."""
    running = Contact.objects.open().filter(due_at__gt=now, source__accept_within__isnull=False)
    by_time: dict[int | None, list[int]] = {}
    for pk, due_at, seconds in in_key_order(running, "due_at", "source__accept_within"):
        if due_at > now + timedelta(seconds=seconds):
            by_time.setdefault(seconds, []).append(pk)
    return give_time(by_time, now)


def give_time(by_time: dict[int | None, list[int]], now: datetime) -> int:
    """Sets when these locked contacts are due, by the seconds that they get; None: never. Returns their number."""
    for seconds, pks in by_time.items():
        due_at = None if seconds is None else now + timedelta(seconds=seconds)
        for start in range(0, len(pks), TOGETHER):
            Contact.objects.filter(pk__in=pks[start : start + TOGETHER]).update(due_at=due_at)
    return sum(map(len, by_time.values()))


def in_key_order(contacts: Any, *columns: str) -> list[tuple[Any, ...]]:
    """The ids of these contacts with these columns, locked in the order in which everybody locks contacts."""
    return list(contacts.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk", *columns))
