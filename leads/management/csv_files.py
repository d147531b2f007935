"""Reads CSV files of contacts, as spreadsheets and other systems write them."""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from django.core.management import CommandError

from leads.management.contact_tables import Record, Table

DELIMITERS = ",;\t"
DECLARED = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own first line, which names the delimiter
MOST_LINES_AGAIN = 100  # of one record, among lines that are read again after a fault
LONGEST_CELL = 2**20  # characters; a longer one has most likely lost its closing quotation mark
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
HOW_TO = "Save it as “CSV UTF-8”, or name its encoding: --encoding cp1251 for files of Russian Windows programs."
UNMATCHED = "The quotation marks do not match: close each one, and double those within a text."
TOO_LONG = f"The row is longer than {LONGEST_CELL} characters."


def open_csv(file: BinaryIO, encoding: str | None) -> Table:
    """The table in this file. Without `encoding`: UTF-8, or UTF-16 if the file begins like it. Raises CommandError."""
    text = open_text(file, encoding or find_encoding(file))
    count = count_lines(text)
    number, first = next(((number, line) for number, line in enumerate(text, start=1) if line.strip()), (1, ""))
    if declared := DECLARED.fullmatch(first):
        delimiter, lines = declared[1], csv_records(text, declared[1], number)
    else:
        delimiter = max(DELIMITERS, key=first.count)  # no column name contains a delimiter
        lines = csv_records(chain([first], text), delimiter, number - 1)
    return Table(lines, delimiter=delimiter, file=text, lines=count)


def find_encoding(file: BinaryIO) -> str:
    head = file.read(4)
    file.seek(0)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" in head[:2]:  # each character of a header has two bytes, one of them zero
        return "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
    return "utf-8-sig"


def open_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The file as text. Line breaks within a cell become \\n, whatever program saved the file."""
    try:
        named = codecs.lookup(encoding).name
        return io.TextIOWrapper(file, encoding="utf-8-sig" if named == "utf-8" else encoding)
    except LookupError as error:
        raise CommandError(f"The encoding {encoding} is unknown (expected a name such as utf-8 or cp1251).") from error


def count_lines(text: io.TextIOWrapper) -> int:
    """Reads the whole file once, so that nothing is half imported if it has another encoding: CommandError."""
    count = 0
    try:
        for _line in text:
            count += 1
    except UnicodeError as error:
        before = error.object[: error.start].count(b"\n") if isinstance(error, UnicodeDecodeError) else 0
        name = text.encoding.removesuffix("-sig").upper()
        raise CommandError(f"Line {count + before + 1} is not {name} text. {HOW_TO}") from error
    text.seek(0)
    return count


def csv_records(lines: Iterator[str], delimiter: str, line: int) -> Iterator[Record]:
    """The records of these lines; `line` is the number of the line before them.

    If the quotation marks of a record do not match, its first line is a record with a fault, and reading goes on with
    the next line: one lost quotation mark costs one row. Rows such as a","b never end, each of them would be read up to
    the end of the file. So where lines are read again, a record has MOST_LINES_AGAIN lines at the most.
    """
    csv.field_size_limit(LONGEST_CELL)
    source = Replay(lines)
    while True:
        source.begin_record()
        try:
            cells = next(csv.reader(source, delimiter=delimiter, strict=True), None)
        except csv.Error:
            first = source.back_to_second()
            fault = TOO_LONG if len(first) > LONGEST_CELL else UNMATCHED
            yield Record(line + 1, first.rstrip("\n").split(delimiter), fault)
            line += 1
            continue
        if cells is None:
            return
        yield Record(line + 1, cells)
        line += len(source.kept)


class Replay:
    """An iterator over lines that can go back to the second of those that it has `kept`."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.kept: list[str] = []
        self.again: deque[str] = deque()
        self.most: int | None = None  # lines that the record may have

    def begin_record(self) -> None:
        self.kept.clear()
        self.most = MOST_LINES_AGAIN if self.again else None

    def __iter__(self) -> "Replay":
        return self

    def __next__(self) -> str:
        if len(self.kept) == self.most:
            raise csv.Error(UNMATCHED)
        line = self.again.popleft() if self.again else next(self.lines)
        self.kept.append(line)
        return line

    def back_to_second(self) -> str:
        """Returns the first line."""
        first, *others = self.kept
        self.again.extendleft(reversed(others))
        return first
