"""Several hosts of one database, of which one takes changes: a primary and its standbys."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from psycopg import OperationalError

WRITABLE = ("read-write", "primary")  # values of libpq's target_session_attrs
OTHERS = 2  # seconds to wait for each further host once one has been found
# The first eight digits are the timeline: it grows with each promotion. Of the two that are primaries while one was cut
# off, the promoted one has the higher.
TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"

Connect = Callable[[dict[str, Any]], Any]


def is_choice(asked: Mapping[str, Any]) -> bool:
    """Whether these parameters of a connection name several hosts, of which the primary is wanted."""
    return "," in str(asked.get("host", "")) and asked.get("target_session_attrs") in WRITABLE


def connect_to_primary(connect: Connect, asked: Mapping[str, Any]) -> Any:
    """A connection to the host that takes changes; of several such, to the one that was promoted last.

    libpq would take the first. That may be a former primary which was cut off, has come back and does not know yet that
    another one was promoted. Raises the error of each host together when none takes changes.
    """
    found: list[Any] = []
    errors: list[OperationalError] = []
    for host, port in places(asked["host"], asked.get("port", "")):
        here = {**asked, "host": host, "port": port}
        if found:
            here["connect_timeout"] = min(OTHERS, int(asked.get("connect_timeout", OTHERS)))
        try:
            found.append(connect(here))
        except OperationalError as error:
            errors.append(error)
    if not found:
        raise OperationalError("\n".join(map(str, errors))) from errors[-1]
    newest = max(found, key=timeline) if len(found) > 1 else found[0]
    for connection in found:
        if connection is not newest:
            connection.close()
    return newest


def places(hosts: str, ports: str) -> Iterator[tuple[str, str]]:
    """Each host with its port; one port counts for all."""
    names, numbers = str(hosts).split(","), str(ports).split(",")
    return zip(names, numbers if len(numbers) == len(names) else numbers * len(names), strict=True)


def timeline(connection: Any) -> str:
    """Empty for one that does not answer, or has become a standby just now."""
    try:
        [found] = connection.execute(TIMELINE).fetchone()
        connection.rollback()
    except OperationalError:
        return ""
    return str(found)
