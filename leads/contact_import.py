"""Imports contacts from a table: one for each row, however often the table is imported.

A row without an idempotency key gets one made from its content and the number of equal rows above it: two equal rows
are two contacts, and importing the same table again, complete or after a kill, creates none. This holds as long as
keys are kept (`prune`).
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from core import text
from core.errors import Busy, FieldError, Invalid, Refusal, Reused
from leads import batch, idempotency, warnings
from leads.drafts import Draft
from routing import history
from routing.models import Contact, Source

TOGETHER = 500  # rows that are read, decided and reported in one step

TEXTS = ("lead_phone", "lead_email", "lead_external_id", "lead_name", "message")
COLUMNS = ("source_id", "source", *TEXTS, "idempotency_key")

ID = re.compile("[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the number of its first line, its cells by column, the cells that are in no column with a name, and a
    sentence if the row cannot be told apart into cells."""

    line: int
    cells: Mapping[str, str]
    surplus: Sequence[str] = ()
    fault: str = ""


class Fate(Enum):
    NEW = auto()
    KNOWN = auto()  # its key has already created a contact


@dataclass(frozen=True, slots=True)
class Outcome:
    row: Row
    result: Fate | Refusal
    warnings: Sequence[FieldError] = ()  # of a row that was accepted

    @property
    def reason(self) -> str:
        """What must be corrected in the row, by field; its warnings if it was accepted."""
        fields: dict[str, list[str]] = {}
        for error in self.errors:
            fields.setdefault(error.detail, []).append(error.field)
        return " ".join(f"{', '.join(names)}: {detail}" for detail, names in fields.items())

    @property
    def errors(self) -> Sequence[FieldError]:
        if isinstance(self.result, Fate):
            return self.warnings
        field = "idempotency_key" if isinstance(self.result, Reused) else "source_id"
        return self.result.errors or [FieldError(field, self.result.code, self.result.detail)]


Item = Mapping[str, Any]  # arguments of `registration.register_contact`
Decided = tuple[Fate | Refusal, Sequence[FieldError]]  # with the warnings of an accepted row
Decide = Callable[[Sequence[Item]], Iterable[Decided]]


def import_contacts(*, rows: Iterable[Row], source_id: int | None = None) -> Iterator[Outcome]:
    """Registers a contact for each row, TOGETHER rows at a time, and yields the outcome of each in order.

    `source_id` is for rows that name no source. Raises Busy or a database error; rows without an outcome must then be
    imported again.
    """
    with closing(Notebook()) as notebook:
        yield from row_outcomes(rows, source_id, notebook, register_rows)


def rehearse(*, rows: Iterable[Row], source_id: int | None = None) -> Iterator[Outcome]:
    """Yields the outcomes that `import_contacts` would yield for these rows now. Changes nothing."""
    with closing(Notebook()) as notebook:
        yield from row_outcomes(rows, source_id, notebook, partial(judge_row, notebook))


def row_outcomes(rows: Iterable[Row], source_id: int | None, notebook: "Notebook", decide: Decide) -> Iterator[Outcome]:
    remaining = iter(rows)
    while together := list(islice(remaining, TOGETHER)):
        items = list(read_row(together, source_id, notebook))
        decided = iter(decide([item for item in items if not isinstance(item, Refusal)]))
        for row, item in zip(together, items, strict=True):
            yield Outcome(row, item) if isinstance(item, Refusal) else Outcome(row, *next(decided))


def register_rows(items: Sequence[Item]) -> Iterator[Decided]:
    for result in batch.register_contacts(items=items, by=history.IMPORT):
        if isinstance(result, Busy):
            raise result  # the row itself is correct
        if isinstance(result, Contact):
            yield Fate.KNOWN if result.is_replay else Fate.NEW, warnings.list_warnings(result)
        else:
            yield result, ()


def judge_row(notebook: "Notebook", items: Sequence[Item]) -> Iterator[Decided]:
    """Yields what `register_rows` would yield for these items, given all items judged before."""
    drafts = list(batch.read_items(items))
    made = idempotency.find_by_keys(draft.token for draft in drafts if isinstance(draft, Draft))
    for draft in drafts:
        if isinstance(draft, Refusal):
            yield draft, ()
            continue
        earlier = made.get(draft.token)
        known = bytes(earlier.idempotency_fingerprint or b"") if earlier else notebook.first(draft)
        if known not in (None, draft.fingerprint):
            yield Reused(str(draft.idempotency_key)), ()
        else:
            yield Fate.NEW if known is None else Fate.KNOWN, warnings.describe_warnings(draft.warned)


def read_row(rows: Sequence[Row], source_id: int | None, notebook: "Notebook") -> Iterator[Item | Refusal]:
    sources = dict(Source.objects.current().values_list("name", "pk"))
    for row in rows:
        try:
            raise_if_malformed(row)
            source = source_id or find_row_source(row, sources)
            texts = row_texts(row)
        except Invalid as refusal:
            yield refusal
            continue
        key = text.trim(row.cells.get("idempotency_key", ""))
        yield {"source_id": source, "idempotency_key": key or notebook.key_for(source, texts), **texts}


def raise_if_malformed(row: Row) -> None:
    detail = row.fault
    if not detail and any(row.surplus):
        detail = _(
            "The row has a cell in a column without a name, or more cells than columns. Name the column; put text that "
            "contains the separator in quotation marks."
        )
    if detail:
        raise Invalid(FieldError("row", "invalid", detail))


def find_row_source(row: Row, sources: Mapping[str, int]) -> int:
    if "source" in row.cells:
        name = text.trim(row.cells["source"])
        if name not in sources:
            raise Invalid(FieldError("source", "not_found", _("Source “%(name)s” does not exist.") % {"name": name}))
        return sources[name]
    given = text.trim(row.cells["source_id"])
    with suppress(ValueError):
        given = text.whole_number(given)
    if not ID.fullmatch(given):
        raise Invalid(FieldError("source_id", "invalid", _("“%(given)s” is not a valid source id.") % {"given": given}))
    return int(given)


def row_texts(row: Row) -> dict[str, str | None]:
    """The cells as a bot would send them: None for an empty cell; only a message keeps its surrounding spaces."""
    given = {field: row.cells.get(field, "") for field in TEXTS}
    return {field: (cell if field == "message" else text.trim(cell)) or None for field, cell in given.items()}


class Notebook:
    """The keys and fingerprints of the rows read so far, kept on disk because files may be large."""

    def __init__(self) -> None:
        self.pages = sqlite3.connect("")  # a temporary file, deleted when the connection is closed
        self.pages.execute("CREATE TABLE alike (source_id, said, times, PRIMARY KEY (source_id, said)) WITHOUT ROWID")
        self.pages.execute("CREATE TABLE used (source_id, key, said, PRIMARY KEY (source_id, key)) WITHOUT ROWID")

    def key_for(self, source_id: int, texts: Mapping[str, str | None]) -> str:
        """The key of a row that has none, made from its content and the number of equal rows read so far."""
        said = idempotency.body_fingerprint(texts)
        count = "INSERT INTO alike VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
        [(times,)] = self.pages.execute(count, [source_id, said])
        return f"import {said.hex()} {times}"

    def first(self, draft: Draft) -> bytes | None:
        """The fingerprint of the first row with this draft's key; None if no earlier row had it."""
        asked = self.pages.execute("SELECT said FROM used WHERE source_id = ? AND key = ?", draft.token)
        found: tuple[bytes] | None = asked.fetchone()
        if found:
            return found[0]
        self.pages.execute("INSERT INTO used VALUES (?, ?, ?)", [*draft.token, draft.fingerprint])
        return None

    def close(self) -> None:
        self.pages.close()
