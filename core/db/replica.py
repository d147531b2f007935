"""Reads that may be some seconds old, from a standby of the database.

Only what is passed to `read` goes there, and docs/adr/0032-old-reads-from-a-replica.md lists what that is. Everything
else uses the primary. Without DATABASE_REPLICA_URL everything does.
"""

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from threading import Lock
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DEFAULT_DB_ALIAS, Error, connections

from core import events
from core.db.faults import Fault, fault_of, sqlstate

log = logging.getLogger(__name__)

ALIAS = "replica"
REMEMBERED = 1.0  # seconds
PAUSE = 5.0  # seconds before a replica that could not be used is asked again: connecting may take long
QUIET = 60.0  # seconds between two warnings
QUERY_CANCELED = "57014"  # SQLSTATE, by statement_timeout

Found = TypeVar("Found")

reading: ContextVar[bool] = ContextVar("reading", default=False)
# Whether the caller must see everything that was committed before. Set for each request (crm_router.middleware).
wants_current: ContextVar[bool] = ContextVar("wants_current", default=False)

# The timeline is another one after each failover; `pg_control_checkpoint` has it late, but never too early.
PRIMARY = """
SELECT CAST(pg_current_wal_lsn() AS text), clock_timestamp(), system_identifier,
    left(pg_walfile_name(pg_current_wal_lsn()), 8)
FROM pg_control_system()
"""
# By the clock of the primary. A standby that has lost the primary believes that it is up to date: only a comparison of
# what both have written shows that it is not.
STANDBY = """
SELECT CASE
    WHEN pg_last_wal_replay_lsn() >= CAST(%s AS pg_lsn) THEN 0
    ELSE extract(epoch FROM CAST(%s AS timestamptz) - pg_last_xact_replay_timestamp())
END
FROM pg_control_system() AS system, pg_control_checkpoint() AS checkpoint
WHERE pg_is_in_recovery() AND system.system_identifier = %s
    AND lpad(upper(to_hex(checkpoint.timeline_id)), 8, '0') = %s
"""


class Outcome(StrEnum):
    """Where a read that may be old went: to the replica, or why to the primary."""

    REPLICA = "replica"
    BEHIND = "behind"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"  # begun on the replica, which has cancelled it


@dataclass(frozen=True, slots=True)
class OldRead:
    """Event: a read that may be old is done."""

    outcome: Outcome


class Router:
    """Django's router while a replica is configured. Inside a transaction reads see what it has written."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        is_old = reading.get() and not connections[DEFAULT_DB_ALIAS].in_atomic_block
        return ALIAS if is_old else DEFAULT_DB_ALIAS

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool:
        return database != ALIAS


def read(work: Callable[[], Found], *, max_age: float = inf) -> Found:
    """What `work` returns, as old as `max_age` and DATABASE_REPLICA_MAX_LAG at most, in seconds, when it begins.

    `work` only reads, and returns whole results, no queryset or iterator. It is called again, on the primary, if the
    replica does not answer or cancels it, or has not got a row yet.
    """
    if ALIAS not in settings.DATABASES or reading.get() or wants_current.get():
        return work()
    if connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return work()
    outcome = standby.ask(max_age)
    if outcome == Outcome.REPLICA:
        outer = reading.set(True)
        try:
            found = work()
        except (Error, ObjectDoesNotExist) as error:
            outcome = standby.judge(error)
        else:
            events.publish(OldRead(outcome))
            return found
        finally:
            reading.reset(outer)
    events.publish(OldRead(outcome))
    return work()


class Standby:
    """What this process knows of the replica."""

    def __init__(self) -> None:
        self.lag: float | None = None  # seconds; None: it cannot be used
        self.asked_at = self.warned_at = -inf
        self.has_warned = False
        self.asking = Lock()

    def ask(self, max_age: float = inf) -> Outcome:
        """Whether it can be used now, for what may be `max_age` seconds old.

        It is asked once in a while, by one thread: others do not wait for that.
        """
        pause = PAUSE if self.lag is None else REMEMBERED
        if time.monotonic() - self.asked_at >= pause and self.asking.acquire(blocking=False):
            try:
                self.measure()
            finally:
                self.asking.release()
        if (lag := self.lag) is None:
            return Outcome.UNAVAILABLE
        # What it has replayed since is not known, so it may have stood still.
        age = lag + time.monotonic() - self.asked_at
        return Outcome.REPLICA if age <= min(settings.DATABASE_REPLICA_MAX_LAG, max_age) else Outcome.BEHIND

    def measure(self) -> None:
        asked_at = time.monotonic()
        try:
            with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                cursor.execute(PRIMARY)
                now = cursor.fetchone()
            with connections[ALIAS].cursor() as cursor:
                cursor.execute(STANDBY, now)
                row = cursor.fetchone()
        except Error as error:
            self.give_up(error)
            return
        if row is None:
            self.note(None, asked_at, "is no standby of the primary, or has not followed it to its timeline yet")
        elif row[0] is None:
            self.note(None, asked_at, "has not replayed anything yet")
        else:
            self.note(max(float(row[0]), 0.0), asked_at, f"is {row[0]:.0f} seconds behind")

    def give_up(self, error: Error) -> None:
        """Also closes this thread's connection: outside of requests nobody else would."""
        connections[ALIAS].close()
        first_line = str(error).partition("\n")[0]
        self.note(None, time.monotonic(), f"cannot be read: {first_line}")

    def note(self, lag: float | None, asked_at: float, state: str) -> None:
        self.lag, self.asked_at = lag, asked_at
        is_used = lag is not None and lag <= settings.DATABASE_REPLICA_MAX_LAG
        if not is_used and time.monotonic() - self.warned_at >= QUIET:
            self.has_warned, self.warned_at = True, time.monotonic()
            log.warning("The replica is not used: it %s", state)
        elif is_used and self.has_warned:
            self.has_warned = False
            log.info("The replica is used again")

    def judge(self, error: Error | ObjectDoesNotExist) -> Outcome:
        """Why the primary is to do what has failed with this error; raises the error if it is not to.

        What took too long would take as long on the primary, which has other things to do.
        """
        if isinstance(error, ObjectDoesNotExist):
            return Outcome.BEHIND
        fault = fault_of(error)
        if fault is None or sqlstate(error) == QUERY_CANCELED:
            raise error
        if fault == Fault.BUSY:
            return Outcome.CANCELLED
        self.give_up(error)
        return Outcome.UNAVAILABLE


standby = Standby()
