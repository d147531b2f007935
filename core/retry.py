"""Repeats transactions after lost races and after database errors that require a repetition."""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from django.db import Error, IntegrityError, connection, transaction
from django.db.models import Model

from core import deadline, events
from core.db.faults import TRY_AGAIN, UNIQUE_VIOLATION, is_sequence_behind, sqlstate, violated_constraint
from core.errors import Busy

log = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

ATTEMPTS = 12
PAUSE = 0.005  # seconds, before the first repetition; doubles with each, at most a quarter of a second

SEQUENCE_BEHIND = (
    "the sequence of its ids is behind the stored rows, as after an incomplete restore. "
    "`manage.py sqlsequencereset` with the name of the app prints the statements that set it."
)


class LostRace(Exception):
    """The data that this transaction has read have changed. It is rolled back and starts again."""


class NothingWritten(LostRace):
    """A race lost before the transaction has written anything. It is committed, because a rollback makes psycopg drop
    its prepared statements."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Event: a transaction starts again. `cause`: "overtaken" by another, or a value of TRY_AGAIN."""

    cause: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Event: all attempts were lost."""


class Attempt:
    """A transaction, as a context manager. It suppresses errors that count as a lost race and raises all others.

    Do not `return` from the block after a write: it would leave the loop also if the commit was lost.
    """

    def __init__(self, number: int, *, is_outermost: bool) -> None:
        self.number = number  # from 0
        self.is_outermost = is_outermost
        self.has_succeeded = False
        self.loss: BaseException | None = None

    def __enter__(self) -> "Attempt":
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        commits = error is None or isinstance(error, NothingWritten)
        try:
            self.transaction.__exit__(*((None, None, None) if commits else (kind, error, traceback)))
        except Error as at_commit:
            error = at_commit
        if error is None:
            self.has_succeeded = True
            return False
        cause = self.cause_of_loss(error)
        if is_sequence_behind(error):
            log.error("%s is violated: %s", violated_constraint(error), SEQUENCE_BEHIND)
        if cause is None:
            raise error
        self.loss = error
        if cause != "overtaken":
            log.warning("Trying again after a %s failure", cause)
        events.publish(Lost(cause))
        return True

    def cause_of_loss(self, error: BaseException) -> str | None:
        """The cause if the error counts as a lost race, else None. A deadlock also ends any outer transaction."""
        if isinstance(error, LostRace):
            return "overtaken"
        if isinstance(error, IntegrityError):  # checked before: another transaction has stored the same value since
            is_race = sqlstate(error) == UNIQUE_VIOLATION and not is_sequence_behind(error)
            return "overtaken" if is_race else None
        return TRY_AGAIN.get(sqlstate(error)) if self.is_outermost else None


def attempts() -> Iterator[Attempt]:
    """Transactions to try, one after another, until one is not lost:

        for attempt in retry.attempts():
            with attempt:
                ...

    Deadlocks, serialisation failures and unique violations count as lost races. Raises Busy when all attempts are lost
    or the caller's `deadline` has passed; nothing has changed then.
    """
    is_outermost = not connection.in_atomic_block
    attempt = None
    for number in range(ATTEMPTS):
        if deadline.has_passed():
            break
        attempt = Attempt(number, is_outermost=is_outermost)
        yield attempt
        if attempt.has_succeeded:
            return
        time.sleep(random.uniform(0, min(PAUSE * 2**number, 0.25)))
    events.publish(GaveUp())
    if attempt and (constraint := violated_constraint(attempt.loss)):
        log.error("Gave up: every attempt has violated %s", constraint)
    raise Busy


def reload_rows(rows: Sequence[Row]) -> list[Row]:
    """Reloads rows after a commit. If that fails, returns them unchanged, because the commit has succeeded."""
    if not rows:
        return []
    try:
        current = type(rows[0])._default_manager.in_bulk([row.pk for row in rows])
    except Exception:
        log.warning("%s rows could not be read again", len(rows), exc_info=True)
        return list(rows)
    return [current[row.pk] for row in rows]
