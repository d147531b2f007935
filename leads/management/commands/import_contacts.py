import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error
from tqdm import tqdm

from core.errors import Busy, Unknown
from leads import contact_import
from leads.contact_import import Fate, Outcome
from leads.management.csv_files import RejectedRows, Table
from routing.models import Source

STDIN = "-"
SHOWN = 20  # rejected rows that are printed
NOTHING_TWICE = "Import the same file again: rows that are registered are not registered twice."


class Command(BaseCommand):
    help = (
        "Registers a contact for each row of a CSV file. Columns: source_id or source (its name), lead_phone, "
        "lead_email, lead_external_id, lead_name, message, idempotency_key. Rows that were imported before are not "
        "registered again. Exit code 1 if rows were rejected; all other rows are registered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the CSV file; - reads standard input")
        parser.add_argument("--source", type=int, metavar="ID", help="for files without a column for the source")
        parser.add_argument("--encoding", default="utf-8-sig", help="of the file, such as cp1251; default: UTF-8")
        parser.add_argument(
            "--rejected", metavar="FILE", help="writes the rejected rows to this file, to be corrected and imported"
        )
        parser.add_argument("--dry-run", action="store_true", help="checks every row and changes nothing")

    def handle(
        self,
        *args: Any,
        file: str,
        source: int | None,
        encoding: str,
        rejected: str | None,
        dry_run: bool,
        **options: Any,
    ) -> None:
        if source is not None and not Source.objects.current().filter(pk=source).exists():
            raise CommandError(str(Unknown("source", source)))
        if rejected and Path(rejected).exists() and file != STDIN and Path(rejected).samefile(file):
            raise CommandError("--rejected names the file that is being imported.")
        with opened(file, encoding) as lines:
            table = Table(lines)
            if table.names_sources == (source is not None):
                raise CommandError("Give either --source or a column source_id or source, not both.")
            verb = contact_import.rehearse if dry_run else contact_import.import_contacts
            outcomes = self.with_progress(verb(rows=table.rows(), source_id=source), total=count_lines(file))
            with created(rejected or os.devnull, encoding) as rejects:
                fates = self.count_fates(outcomes, RejectedRows(rejects, table))
        self.report(fates, dry_run)

    def with_progress(self, outcomes: Iterable[Outcome], *, total: int | None) -> Iterator[Outcome]:
        line = 1
        with tqdm(desc="import", unit=" lines", total=total, file=self.stderr, disable=None) as bar:
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
        for outcome in outcomes:
            if isinstance(outcome.result, Fate):
                fates[outcome.result] += 1
                continue
            fates[None] += 1
            rejects.add(outcome)
            if fates[None] <= SHOWN:
                with tqdm.external_write_mode(file=self.stderr):
                    self.stderr.write(f"line {outcome.row.line}, {outcome.reason}")
        return fates

    def report(self, fates: Counter[Fate | None], dry_run: bool) -> None:
        verb = "would be registered" if dry_run else "registered"
        self.stdout.write(f"{fates[Fate.NEW]} contacts {verb}, {fates[Fate.KNOWN]} were registered before.")
        if fates[None]:
            rest = f", the first {SHOWN} of them are listed above" if fates[None] > SHOWN else ""
            raise CommandError(f"{fates[None]} of {fates.total()} rows were rejected{rest}.")


def opened(file: str, encoding: str) -> TextIO:
    """The file as text. Line breaks within a cell become \\n, whatever program saved the file."""
    try:
        if file == STDIN:
            return io.TextIOWrapper(sys.stdin.buffer, encoding=encoding)
        return open(file, encoding=encoding)
    except (OSError, LookupError) as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error


def created(file: str, encoding: str) -> TextIO:
    """Opens the list of rejected rows in the encoding of the input, so that the same programs can read both."""
    try:
        return open(file, "w", encoding=encoding, errors="backslashreplace", newline="")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error}.") from error


def count_lines(file: str) -> int | None:
    """The number of lines; None for an input that can be read only once, such as a pipe."""
    if file == STDIN or not Path(file).is_file():
        return None
    with open(file, "rb") as lines:
        return sum(block.count(b"\n") for block in iter(partial(lines.read, 2**20), b""))
