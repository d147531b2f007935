"""Reads rows with a long text, such as messages, a bounded number of bytes at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Func, IntegerField, Model, QuerySet

ROWS = 200  # of one slice
MOST_BYTES = 2**20  # of the text in one slice, which is above it only with a single row

Row = TypeVar("Row", bound=Model)


class Bytes(Func):
    """The length of a text in bytes. PostgreSQL knows it without reading a long text."""

    function = "octet_length"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="length(CAST(%(expressions)s AS BLOB))", **context)


def count_fitting(sizes: Iterable[int | None]) -> int:
    """How many texts of these sizes, taken one after another, are within MOST_BYTES; at least one."""
    total = number = 0
    for size in sizes:
        total += size or 0
        if number and total > MOST_BYTES:
            break
        number += 1
    return number


def without_text(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """The rows, each with `text_bytes` in place of its text."""
    found: QuerySet[Any] = rows.defer(text).annotate(text_bytes=Bytes(text))
    return found


def load_texts(rows: Sequence[Any], text: str) -> None:
    """Sets the texts of rows that were read `without_text`."""
    texts: dict[int, str] = {}
    if pks := [row.pk for row in rows if row.text_bytes]:
        texts = dict(type(rows[0])._default_manager.filter(pk__in=pks).values_list("pk", text))
    for row in rows:
        setattr(row, text, texts.get(row.pk, "" if row.text_bytes == 0 else None))


def read_in_slices(rows: QuerySet[Row], text: str) -> Iterator[list[Row]]:
    """All rows by key, in lists of at most ROWS rows and about MOST_BYTES of the text. Yields nothing for no rows."""
    for pks in key_slices(rows, text):
        yield read_slice(rows, pks)


def key_slices(rows: QuerySet[Row], text: str) -> list[list[int]]:
    """The keys of these lists."""
    sizes = list(rows.order_by("pk").values_list("pk", Bytes(text)))
    slices = []
    start = 0
    while part := sizes[start : start + ROWS]:
        part = part[: count_fitting(size for _, size in part)]
        slices.append([pk for pk, _ in part])
        start += len(part)
    return slices


def read_slice(rows: QuerySet[Row], pks: list[int]) -> list[Row]:
    return list(rows.filter(pk__in=pks).order_by("pk"))
