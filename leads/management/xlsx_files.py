"""Reads Excel files (.xlsx) of contacts, row by row."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, time
from typing import Any, BinaryIO
from zipfile import BadZipFile

from django.core.management import CommandError

from core import text
from leads.management.contact_tables import Record, Table


def open_xlsx(file: BinaryIO) -> Table:
    """The table in the only sheet that has content. Raises CommandError if there are several, or none can be read."""
    import openpyxl  # here, because only this needs it, and it is large

    try:
        sheets = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets
        for sheet in sheets:
            sheet.reset_dimensions()  # some programs write wrong ones, and cells beyond them would be lost
        filled = [sheet for sheet in sheets if any(not record.is_blank for record in xlsx_records(sheet))]
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        raise CommandError(
            "The file is not a valid Excel file (.xlsx). Save it again, or save it as CSV UTF-8."
        ) from error
    if len(filled) > 1:
        names = ", ".join(sheet.title for sheet in filled)
        raise CommandError(f"The file has more than one sheet with content: {names}. Save each as a file of its own.")
    return Table(xlsx_records(filled[0]) if filled else iter(()))


def xlsx_records(sheet: Any) -> Iterator[Record]:
    for line, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        yield Record(line, [cell_text(cell) for cell in cells])


def cell_text(value: Any) -> str:
    """The cell as text: whole numbers without a fraction, moments in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, float):
        with suppress(ValueError):
            return text.number_as_text(value)
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
