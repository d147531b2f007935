"""Runs a unit of work again when somebody else was faster, or when the database asks for it."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.models import Model

from core import deadline, events
from core.db.inserts import NothingStored
from core.errors import Busy

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Row = TypeVar("Row", bound=Model)

ATTEMPTS = 12
PAUSE = 0.005  # seconds, before the first repetition; doubles with each, at most a quarter of a second

# SQLSTATEs after which PostgreSQL has rolled everything back and expects the client to try again:
# serialization_failure and deadlock_detected; and what sql.postgresql says of a table that a migration has changed.
# A connection that broke is not among them: the commit may have happened.
TRY_AGAIN = {"40001": "serialization", "40P01": "deadlock", "0A000": "schema"}
UNIQUE_VIOLATION = "23505"  # whoever stores has looked before: another has stored the same in between


class LostRace(Exception):
    """What this transaction had read is no longer true. It is rolled back, and starts again with fresh eyes."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A transaction was rolled back, to start again. `cause`: "overtaken" by another, or as in TRY_AGAIN."""

    cause: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """All attempts were lost."""


def run(work: Callable[[int], Result]) -> Result:
    """Calls `work(attempt)`, attempt counting from 0, in a transaction of its own, until it does not lose a race.

    Deadlocks, serialisation failures and what turns out to be there already count as lost races. Raises Busy when all
    attempts are lost, or the caller's `deadline` is over; nothing has changed then.
    """
    outermost = not connection.in_atomic_block
    for attempt in range(ATTEMPTS):
        if deadline.has_passed():
            break
        try:
            with transaction.atomic():
                return work(attempt)
        except (LostRace, NothingStored):
            events.publish(Lost("overtaken"))
        except IntegrityError as error:
            if sqlstate(error) != UNIQUE_VIOLATION:
                raise
            events.publish(Lost("overtaken"))
        except OperationalError as error:
            cause = TRY_AGAIN.get(sqlstate(error))
            if not (outermost and cause):
                raise
            events.publish(Lost(cause))
            log.warning("Trying again after a %s failure", cause)
        time.sleep(random.uniform(0, min(PAUSE * 2**attempt, 0.25)))
    events.publish(GaveUp())
    raise Busy


def sqlstate(error: Error) -> str:
    """Of PostgreSQL; empty elsewhere."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def reload_rows(rows: Sequence[Row]) -> list[Row]:
    """The rows as they are now. For after a commit that stands: if the database is away by then, as they were."""
    if not rows:
        return []
    try:
        anew = type(rows[0])._default_manager.in_bulk([row.pk for row in rows])
    except Error:
        log.warning("%s rows could not be read again", len(rows), exc_info=True)
        return list(rows)
    return [anew[row.pk] for row in rows]
