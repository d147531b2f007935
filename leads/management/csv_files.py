"""Reads and writes CSV files of contacts with a header, as spreadsheets and other systems write them."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TextIO

from django.core.management import CommandError

from leads.contact_import import COLUMNS, Outcome, Row

DELIMITERS = ",;\t"
ANNOTATIONS = ("line", "reason")  # added by `RejectedRows`; a corrected list still has them


class Table:
    """An open CSV file of contacts. Raises CommandError if it cannot be read."""

    def __init__(self, file: TextIO) -> None:
        self.file = file
        with self.readable(1):
            first = file.readline()
        self.delimiter = max(DELIMITERS, key=first.count)  # no column name contains a delimiter
        self.reader = csv.reader(chain([first], file), delimiter=self.delimiter, strict=True)
        with self.readable(1):
            self.header = [name.strip().lower() for name in next(self.reader, [])]
        self.check_header()

    @property
    def columns(self) -> list[str]:
        return [name for name in self.header if name not in ANNOTATIONS]

    @property
    def names_sources(self) -> bool:
        return "source" in self.header or "source_id" in self.header

    def check_header(self) -> None:
        """Rejects unknown columns, because a misspelt one would lose data silently."""
        if not self.header:
            raise CommandError("The first line must name the columns.")
        unknown = ", ".join(name for name in self.header if name not in (*COLUMNS, *ANNOTATIONS))
        if unknown:
            raise CommandError(f"Unknown columns: {unknown} (expected {', '.join(COLUMNS)}).")
        if len(set(self.header)) < len(self.header):
            raise CommandError("A column is named twice.")
        if {"source", "source_id"} <= set(self.header):
            raise CommandError("Use either the column source or source_id, not both.")

    def rows(self) -> Iterator[Row]:
        """All rows except empty ones. Line breaks within quotation marks count as lines, as in an editor."""
        while True:
            line = self.reader.line_num + 1
            with self.readable(line):
                cells = next(self.reader, None)
            if cells is None:
                return
            if any(cells):
                cells += [""] * (len(self.header) - len(cells))
                named = {name: cell for name, cell in zip(self.header, cells, strict=False) if name not in ANNOTATIONS}
                yield Row(line, named, cells[len(self.header) :])

    @contextmanager
    def readable(self, line: int) -> Iterator[None]:
        try:
            yield
        except UnicodeError as error:
            hint = "Set --encoding; many Russian files use cp1251."
            raise CommandError(f"After line {line} the file is not valid {self.file.encoding}. {hint}") from error
        except csv.Error as error:
            raise CommandError(f"Line {line} is not valid CSV: {error}.") from error


class RejectedRows:
    """Writes rejected rows unchanged, with line number and reason, so that they can be corrected and imported again."""

    def __init__(self, file: TextIO, table: Table) -> None:
        self.writer = csv.writer(file, delimiter=table.delimiter)
        self.writer.writerow([*table.columns, *ANNOTATIONS])

    def add(self, outcome: Outcome) -> None:
        row = outcome.row
        self.writer.writerow([*row.cells.values(), row.line, outcome.reason, *row.surplus])
