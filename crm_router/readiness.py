"""Whether this process can do its work: for `/health/ready` and the metrics."""

import logging
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from core.db.faults import Fault, fault_of
from core.moments import format_utc
from routing.models import Upkeep

log = logging.getLogger(__name__)


class Obstacle(NamedTuple):
    """Why the service is not ready: a code for programs, a sentence for people."""

    code: str
    detail: str


def find_obstacle() -> Obstacle | None:
    """None when the database answers, has all migrations and takes changes.

    Asks cheaply and changes nothing, so it does not see a full disk: only a failing registration does.
    """
    connection: Any = connections[DEFAULT_DB_ALIAS]
    try:
        missing = missing_migrations()
        is_read_only = connection.is_read_only()
        waits_for_standby = connection.waits_for_standby()
    except Error as error:
        log.exception("Not ready")
        if fault_of(error) == Fault.READ_ONLY:
            return read_only()
        return Obstacle("database_unreachable", _("The database does not answer."))
    if is_read_only:
        connection.close()  # the next one may find the primary
        return read_only()
    if waits_for_standby:
        connection.close()  # likewise, if the standby was promoted
        return Obstacle("database_waits_for_standby", _("The database does not confirm changes: its standby is gone."))
    if missing:
        return Obstacle("migrations_missing", _("Migrations that are not applied: %(count)s.") % {"count": missing})
    return None


def read_only() -> Obstacle:
    return Obstacle("database_read_only", _("The database can be read, but takes no changes."))


def missing_migrations() -> int:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def background_work() -> dict[str, str | None]:
    """When each kind of background work ended well last, in UTC; None for never."""
    upkeep = Upkeep.objects.first() or Upkeep()
    times = {name: getattr(upkeep, name) for name in ("ticked_at", "swept_at", "tallied_at", "pruned_at")}
    return {name: at and format_utc(at) for name, at in times.items()}
