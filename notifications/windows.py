"""Which events can be read on PostgreSQL, where ids are not the order of commits (ADR 0028).

A row can be read when all transactions up to its own have ended: none of them can add a row any more. Reading goes by
windows of transactions, each of which ends below those that have not ended yet.
"""

from typing import Any

from django.db import connection

from core.changes.models import Change
from core.db.commit_order import OLDEST, OLDEST_HERE, move_ahead
from core.ids import LARGEST
from routing.models import Contact, ContactEvent

EVENTS, CHANGES = ContactEvent._meta.db_table, Change._meta.db_table

LAST = ", ".join(
    f'(SELECT "transaction" FROM {table} WHERE "transaction" < {{end}} ORDER BY "transaction" DESC LIMIT 1)'
    for table in (EVENTS, CHANGES)
)
NEWEST = f"SELECT {OLDEST}, greatest(0, {LAST.format(end=LARGEST)})"
NEWEST_BELOW = f"SELECT greatest(0, {LAST.format(end='%(end)s')})"

INSIDE = '"transaction" >= %(low)s AND "transaction" < %(high)s'
OF_SOURCE = f"""
SELECT EXISTS (SELECT FROM {EVENTS} event JOIN {Contact._meta.db_table} contact ON contact.id = event.contact_id
    WHERE {INSIDE} AND contact.source_id = %(source_id)s)
OR EXISTS (SELECT FROM {CHANGES} WHERE {INSIDE} AND source_id = %(source_id)s)"""

# Of one contact, operator or source: the first row that came after one which cannot be read yet. A transaction that has
# begun early may have waited for a later one, whose row comes first, while a third between them is still open.
TOO_EARLY = f"""
SELECT least(
    (SELECT min(later."transaction") FROM {EVENTS} earlier JOIN {EVENTS} later
        ON later.contact_id = earlier.contact_id AND later.id > earlier.id
        WHERE earlier."transaction" >= %(high)s AND later."transaction" < %(high)s AND later."transaction" >= %(low)s),
    (SELECT min(later."transaction") FROM {CHANGES} earlier JOIN {CHANGES} later
        ON later.operator_id = earlier.operator_id AND later.id > earlier.id
        WHERE earlier."transaction" >= %(high)s AND later."transaction" < %(high)s AND later."transaction" >= %(low)s),
    (SELECT min(later."transaction") FROM {CHANGES} earlier JOIN {CHANGES} later
        ON later.source_id = earlier.source_id AND later.id > earlier.id
        WHERE earlier."transaction" >= %(high)s AND later."transaction" < %(high)s AND later."transaction" >= %(low)s)
)"""


def end_of_settled() -> int:
    """The number above the newest row that can be read. It grows only with new rows, so that a cursor stays the same
    while nothing happens, and outlives a crash in which PostgreSQL forgets transactions that have stored nothing."""
    oldest, newest = row_of(NEWEST)
    if newest >= oldest:
        [oldest] = row_of(OLDEST_HERE)
        [newest] = row_of(NEWEST_BELOW, end=oldest)
    return int(newest) + 1


def end_of_window(low: int, settled: int) -> int:
    """The end of the window that begins at `low`: at most `settled`, and lower if rows of one contact would otherwise
    be read in the wrong order. Equal to `low` or below if there is nothing to read."""
    high = settled
    while high > low and (later := row_of(TOO_EARLY, low=low, high=high)[0]) is not None:
        high = later
    return high


def has_rows_of(source_id: int, low: int, high: int) -> bool:
    """Whether there is anything of this source in the window. A caller who waits for events of one source looks at
    each window; building Django's queries each time would cost more than a registration."""
    [found] = row_of(OF_SOURCE, source_id=source_id, low=low, high=high)
    return bool(found)


def continue_after_restore() -> bool:
    """After a restore into a cluster that has had fewer transactions: lets the numbers of all later rows go on above
    those that are stored. Returns whether that was necessary. Nobody may be writing."""
    if connection.vendor != "postgresql":
        return False
    _, newest = row_of(NEWEST)
    return move_ahead(newest)


def row_of(sql: str, **params: int) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
