import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from core.errors import Busy, Unknown
from core.progress import progress, write_above
from leads import contact_import
from leads.contact_import import Fate, Outcome
from leads.management.contact_tables import RejectedRows, Table
from leads.management.csv_files import open_csv
from leads.management.xlsx_files import open_xlsx
from routing.models import Source

STDIN = "-"
SHOWN = 20  # rejected rows that are printed
XLSX, XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # how such files begin
NOTHING_TWICE = "Import the same file again: rows that are registered are not registered twice."


class Command(BaseCommand):
    help = (
        "Registers a contact for each row of a CSV or Excel file. Columns: source_id or source (its name), lead_phone, "
        "lead_email, lead_external_id, lead_name, message, idempotency_key. Rows that were imported before are not "
        "registered again. Exit code 1 if rows were rejected; all other rows are registered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the CSV or .xlsx file; - reads standard input")
        parser.add_argument("--source", type=int, metavar="ID", help="for files without a column for the source")
        parser.add_argument(
            "--encoding", help="of a CSV file, such as cp1251; default: UTF-8, or UTF-16 if it begins so"
        )
        parser.add_argument(
            "--rejected", metavar="FILE", help="writes the rejected rows to this file, to be corrected and imported"
        )
        parser.add_argument("--dry-run", action="store_true", help="checks every row and changes nothing")

    def handle(
        self,
        *args: Any,
        file: str,
        source: int | None,
        encoding: str | None,
        rejected: str | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        if source is not None and not Source.objects.current().filter(pk=source).exists():
            raise CommandError(str(Unknown("source", source)))
        if rejected and Path(rejected).exists() and file != STDIN and Path(rejected).samefile(file):
            raise CommandError("--rejected names the file that is being imported.")
        gc.freeze()  # what was loaded until now is kept: searching it for garbage again and again costs a tenth
        with opened(file) as content:
            table = open_table(content, encoding)
            if table.names_sources == (source is not None):
                raise CommandError("Give either --source or a column source_id or source, not both.")
            verb = contact_import.rehearse if dry_run else contact_import.import_contacts
            outcomes = self.with_progress(verb(rows=table.rows(), source_id=source), total=table.lines)
            with created(rejected or os.devnull, table.encoding) as rejects:
                fates = self.count_fates(outcomes, RejectedRows(rejects, table))
        self.report(fates, dry_run)

    def with_progress(self, outcomes: Iterable[Outcome], *, total: int | None) -> Iterator[Outcome]:
        line = 1
        with progress(self.stderr, unit="lines", total=total) as bar:
            try:
                for outcome in outcomes:
                    line = outcome.row.line
                    bar.update(line - bar.n)
                    yield outcome
            except (Busy, Error) as error:
                raise CommandError(f"Stopped after line {line}: {error} {NOTHING_TWICE}") from error

    def count_fates(self, outcomes: Iterable[Outcome], rejects: RejectedRows) -> Counter[Fate | None]:
        """Counts the rows by fate, None for rejected ones, which are printed and written to the list."""
        fates: Counter[Fate | None] = Counter()
        warned = 0
        for outcome in outcomes:
            if isinstance(outcome.result, Fate):
                fates[outcome.result] += 1
                warned += bool(outcome.warnings)
                if outcome.warnings and warned <= SHOWN:
                    self.tell(f"line {outcome.row.line}, warning, {outcome.reason}")
                continue
            fates[None] += 1
            rejects.add(outcome)
            if fates[None] <= SHOWN:
                self.tell(f"line {outcome.row.line}, {outcome.reason}")
        if warned > SHOWN:
            self.tell(f"{warned} rows have warnings, which their contacts keep; the first {SHOWN} are listed above.")
        return fates

    def tell(self, line: str) -> None:
        """Writes a line above the progress bar."""
        write_above(self.stderr, line)

    def report(self, fates: Counter[Fate | None], dry_run: bool) -> None:
        verb = "would be registered" if dry_run else "registered"
        self.stdout.write(f"{fates[Fate.NEW]} contacts {verb}, {fates[Fate.KNOWN]} were registered before.")
        if fates[None]:
            rest = f", the first {SHOWN} of them are listed above" if fates[None] > SHOWN else ""
            raise CommandError(f"{fates[None]} of {fates.total()} rows were rejected{rest}.")


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file, to be read more than once: standard input and pipes are copied to a temporary file."""
    with ExitStack() as stack:
        try:
            content: BinaryIO = sys.stdin.buffer if file == STDIN else stack.enter_context(open(file, "rb"))
            if not content.seekable():
                copy: BinaryIO = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(content, copy)
                copy.seek(0)
                content = copy
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error}.") from error
        yield content


def open_table(content: BinaryIO, encoding: str | None) -> Table:
    head = content.read(4)
    content.seek(0)
    if head == XLS:
        raise CommandError("The file is an old Excel file (.xls). Save it as .xlsx or as CSV UTF-8.")
    return open_xlsx(content) if head == XLSX else open_csv(content, encoding)


def created(file: str, encoding: str) -> TextIO:
    """Opens the list of rejected rows in the encoding of the input, so that the same programs can read both."""
    try:
        return open(file, "w", encoding=encoding, errors="backslashreplace", newline="")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error}.") from error
