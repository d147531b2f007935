"""A report as a table of cells, for files and for the command."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from core.moments import format_utc
from core.spreadsheets import Cell
from routing.report.question import Key
from routing.report.rows import COLUMNS, Report, Row

TOTAL = "total"


def plain_table(report: Report) -> Iterator[Sequence[Cell]]:
    """With the names and keys of the API; durations in whole seconds. The last row is the total."""
    yield ["key", "name", *COLUMNS]
    for row in report.rows:
        yield [plain_key(row.key), row.name, *cells(row)]
    yield [TOTAL, None, *cells(report.total)]


def cells(row: Row) -> list[int | None]:
    """In the order of COLUMNS."""
    return [None if value is None else round(value) for value in row.values().values()]


def plain_key(key: Key) -> int | str | None:
    """As in the API: an id, or a day or moment in ISO 8601."""
    if key is None or isinstance(key, int):
        return key
    return format_utc(key) if isinstance(key, datetime) else key.isoformat()
