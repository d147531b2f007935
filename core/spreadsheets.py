"""Tables as files for spreadsheet programs, row by row, with memory for one row at a time.

Texts come from clients: none of them may become a formula when the file is opened.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import quote

from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

BOM = "\ufeff"  # by which Excel recognises UTF-8
CSV, XLSX = "csv", "xlsx"
MEDIA_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what the text of a formula may begin with
PHONE = re.compile(r"\+[0-9]{5,15}\Z")
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # in XML
LONGEST_CELL = 32_767  # characters, of Excel
MOST_ROWS = 1_048_000  # of a sheet of Excel, without room for headings

Cell = str | int | float | date | datetime | None


class _Lines:
    """A file for `csv.writer` that returns what is written."""

    def write(self, text: str) -> str:
        return text


def defuse(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet program would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def write_csv(rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """With `;` and a BOM, as Excel expects it in Russia. Numbers should be whole: some countries write a comma in
    them, and Excel there takes 12.3 for a date."""
    writer = csv.writer(_Lines(), delimiter=";")
    yield BOM.encode()
    for row in rows:
        line: Any = writer.writerow([csv_cell(cell) for cell in row])
        yield line.encode()


def csv_cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return defuse(cell)
    return f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else cell


def write_xlsx(rows: Iterable[Sequence[Cell]], file: Any) -> None:
    """One sheet. The first row stays in sight."""
    from openpyxl import Workbook  # imported here: it takes a fifth of a second, and most workers never need it
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"

    def text_cell(text: str) -> Any:
        safe = text if PHONE.match(text) else defuse(text)
        cell = WriteOnlyCell(sheet, UNSTORABLE.sub("\ufffd", safe)[:LONGEST_CELL])
        cell.data_type = "s"  # never a formula, whatever it begins with
        return cell

    for row in rows:
        sheet.append([text_cell(cell) if isinstance(cell, str) else xlsx_cell(cell) for cell in row])
    book.save(file)


def xlsx_cell(cell: Cell) -> Cell:
    """Excel knows no time zones."""
    return cell.replace(tzinfo=None, microsecond=0) if isinstance(cell, datetime) else cell


def file_response(rows: Iterable[Sequence[Cell]], *, kind: str, name: str) -> HttpResponseBase:
    """The table as a file to download. Cells are made in the language and the time zone of the request,
    also while it is sent."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{kind}')}",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    if kind == XLSX:
        file = TemporaryFile()  # noqa: SIM115 # closed by the answer
        write_xlsx(rows, file)
        file.seek(0)
        return FileResponse(file, content_type=MEDIA_TYPES[XLSX], headers=headers)
    pieces = as_in_request(translation.get_language(), timezone.get_current_timezone(), write_csv(rows))
    return StreamingHttpResponse(pieces, content_type=MEDIA_TYPES[CSV], headers=headers)


def as_in_request(language: str, zone: tzinfo, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, each made in this language and time zone, which end with the request."""
    while True:
        with translation.override(language), timezone.override(zone):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece
