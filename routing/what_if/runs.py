"""What-ifs as they are asked, worked off one after another by a process of their own, and answered.

A worker takes a run for LEASE seconds at a time and prolongs that while it reads and between two replays. If it dies,
the run is taken by the next worker; a run that has lost ATTEMPTS workers is refused.
"""

import logging
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.errors import Conflict, Unknown
from core.moments import format_utc
from routing.models import WhatIf
from routing.what_if import questions
from routing.what_if.past import Period
from routing.what_if.prediction import Changes
from routing.what_if.questions import Answer

log = logging.getLogger(__name__)

MOST_RUNNING = 20
LEASE = timedelta(seconds=120)
PROLONGED_AFTER = 5.0  # seconds
ATTEMPTS = 3
FAILED, CANCELLED = "failed", "cancelled"  # as the reasons in `questions`


class Stopped(Exception):
    """The run was cancelled, or another worker has it."""


def ask(*, source_id: int, since: datetime, until: datetime, changes: Changes, by: str) -> WhatIf:
    """Stores the question. Raises Unknown, Invalid, or Conflict `too_many_running`."""
    questions.check(source_id=source_id, since=since, until=until, changes=changes)
    if WhatIf.objects.filter(status=WhatIf.Status.RUNNING).count() >= MOST_RUNNING:
        raise Conflict("too_many_running", _("Too many what-ifs are running. Please wait for one to end."))
    asked = {"source_id": source_id, "from": format_utc(since), "to": format_utc(until), "changes": asdict(changes)}
    for attempt in retry.attempts():
        with attempt:
            run = WhatIf.objects.create(asked=asked, by=by[:160])
    return run


def read_asked(run: WhatIf) -> tuple[int, Period, Changes]:
    asked = run.asked
    changes = asked["changes"] | {
        name: {int(pk): value for pk, value in asked["changes"][name].items()} for name in ("weights", "limits")
    }
    period = Period(datetime.fromisoformat(asked["from"]), datetime.fromisoformat(asked["to"]))
    return asked["source_id"], period, Changes(**changes)


def waiting(now: datetime) -> QuerySet[WhatIf]:
    """Runs that no worker has."""
    free = Q(taken_until__isnull=True) | Q(taken_until__lte=now)
    return WhatIf.objects.filter(free, status=WhatIf.Status.RUNNING).order_by("pk")


def somebody_waits() -> bool:
    return waiting(timezone.now()).exists()


def work_off() -> int:
    """Answers every run that no worker has. Returns how many."""
    number = 0
    while run := take_next():
        number += 1
        try:
            source_id, period, changes = read_asked(run)
            found = questions.answer(source_id=source_id, period=period, changes=changes, go_on=Prolonging(run))
        except Stopped:
            continue
        except Exception:
            log.exception("What-if %s has failed", run.pk)
            found = Answer(refusal={"code": FAILED})
        finish(run, found)
    return number


def take_next() -> WhatIf | None:
    """Takes the oldest run that no worker has. One that has lost too many workers is refused."""
    while True:
        for attempt in retry.attempts():
            with attempt:
                now = timezone.now()
                run = waiting(now).select_for_update(skip_locked=True).first()
                is_lost = run is not None and run.attempts >= ATTEMPTS
                if run:
                    run.attempts += 1
                    run.taken_until = now + LEASE
                    run.save(update_fields=["attempts", "taken_until"])
        if run is None or not is_lost:
            return run
        finish(run, Answer(refusal={"code": FAILED}))


class Prolonging:
    """Called again and again during the work: keeps the run from being taken by another worker, and raises Stopped if
    it was cancelled."""

    def __init__(self, run: WhatIf) -> None:
        self.run, self.done_at = run, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.done_at < PROLONGED_AFTER:
            return
        self.done_at = time.monotonic()
        change_own(self.run, taken_until=timezone.now() + LEASE)


def finish(run: WhatIf, found: Answer) -> None:
    status = WhatIf.Status.REFUSED if found.refusal else WhatIf.Status.DONE
    try:
        change_own(run, status=status, reason=found.refusal, before=found.before, after=found.after, taken_until=None)
    except Stopped:
        log.info("What-if %s was cancelled or taken by another worker", run.pk)


def change_own(run: WhatIf, **fields: Any) -> None:
    """Sets these fields if this worker still has the run. Raises Stopped."""
    for attempt in retry.attempts():
        with attempt:
            own = WhatIf.objects.filter(pk=run.pk, status=WhatIf.Status.RUNNING, attempts=run.attempts)
            changed = own.update(**fields)
    if not changed:
        raise Stopped


def cancel(*, run_id: int) -> WhatIf:
    """Ends the run; its worker stops at the next replay. One that has ended stays as it is. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            running = WhatIf.objects.filter(pk=run_id, status=WhatIf.Status.RUNNING)
            running.update(status=WhatIf.Status.REFUSED, reason={"code": CANCELLED}, taken_until=None)
    return read_run(run_id)


def read_run(run_id: int) -> WhatIf:
    run = WhatIf.objects.filter(pk=run_id).first()
    if run is None:
        raise Unknown("what-if", run_id)
    return run


def old_runs(*, created_before: datetime) -> QuerySet[WhatIf]:
    return WhatIf.objects.filter(created_at__lt=created_before)


def forget_old_runs(*, created_before: datetime) -> int:
    for attempt in retry.attempts():
        with attempt:
            deleted, _by_model = old_runs(created_before=created_before).delete()
    return deleted
