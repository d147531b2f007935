"""Tables of contacts with a header: which columns they have, and their rows. Read by `csv_files` and `xlsx_files`."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TextIO

from django.core.management import CommandError

from core import text
from leads.contact_import import COLUMNS, Outcome, Row

ANNOTATIONS = ("line", "reason")  # added by `RejectedRows`; a corrected list still has them


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one row, the number of its first line, and what is wrong with the row as a whole, if anything."""

    line: int
    cells: Sequence[str]
    fault: str = ""

    @property
    def is_blank(self) -> bool:
        return all(map(text.is_blank, self.cells))


class Table:
    """The records of a file, the first of which names the columns. Raises CommandError if it does not.

    The list of rejected rows is written with `delimiter` and in the encoding of `file`, if it is text. `lines`:
    how many there are, if that is known.
    """

    def __init__(
        self,
        records: Iterator[Record],
        *,
        delimiter: str = ";",
        file: TextIOWrapper | None = None,
        lines: int | None = None,
    ) -> None:
        self.records, self.delimiter, self.lines = records, delimiter, lines
        self.file = file  # would close the file below it if it was deleted after the last row
        first = next((record for record in records if not record.is_blank), Record(1, []))
        if first.fault:
            raise CommandError(f"Line {first.line}: {first.fault}")
        self.header = [text.trim(name).lower() for name in first.cells]
        self.check_header()

    @property
    def encoding(self) -> str:
        return self.file.encoding if self.file else "utf-8-sig"

    @property
    def columns(self) -> list[str]:
        return [name for name in self.header if name and name not in ANNOTATIONS]

    @property
    def names_sources(self) -> bool:
        return "source" in self.header or "source_id" in self.header

    def check_header(self) -> None:
        """Rejects unknown columns, because a misspelt one would lose data silently.

        Columns without a name are allowed while they are empty: spreadsheets write such columns.
        """
        named = [name for name in self.header if name]
        if not named:
            raise CommandError("The first line must name the columns.")
        unknown = ", ".join(name for name in named if name not in (*COLUMNS, *ANNOTATIONS))
        if unknown:
            raise CommandError(f"Unknown columns: {unknown} (expected {', '.join(COLUMNS)}).")
        if len(set(named)) < len(named):
            raise CommandError("A column is named twice.")
        if {"source", "source_id"} <= set(named):
            raise CommandError("Use either the column source or source_id, not both.")

    def rows(self) -> Iterator[Row]:
        """All rows except blank ones."""
        for record in self.records:
            if not record.is_blank:
                yield self.row_of(record)

    def row_of(self, record: Record) -> Row:
        cells = [*record.cells, *[""] * (len(self.header) - len(record.cells))]
        named, surplus = {}, []
        for place, cell in enumerate(cells):
            name = self.header[place] if place < len(self.header) else ""
            if name and name not in ANNOTATIONS:
                named[name] = cell
            elif not name and not text.is_blank(cell):
                surplus.append(cell)
        return Row(record.line, named, surplus, record.fault)


class RejectedRows:
    """Writes rejected rows unchanged, with line number and reason, so that they can be corrected and imported again."""

    def __init__(self, file: TextIO, table: Table) -> None:
        self.writer = csv.writer(file, delimiter=table.delimiter)
        self.writer.writerow([*table.columns, *ANNOTATIONS])

    def add(self, outcome: Outcome) -> None:
        row = outcome.row
        self.writer.writerow([*row.cells.values(), row.line, outcome.reason, *row.surplus])
