from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Busy, Conflict
from core.progress import progress
from leads import original_import
from leads.management import original_databases
from leads.original_rows import TABLES, Report

SHOWN = 20  # ids listed after each note


class Command(BaseCommand):
    help = (
        "Moves in all operators, sources, weights, leads and contacts of the original service. Ids stay. Moves "
        "everything or nothing; running it again moves what has been added since. The original database is not changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "original", metavar="FILE_OR_URL", help="its SQLite file, or its PostgreSQL as postgresql://user@host/name"
        )
        parser.add_argument("--dry-run", action="store_true", help="reports the same and changes nothing")

    def handle(self, *args: Any, original: str, dry_run: bool, **options: Any) -> None:
        verb = original_import.rehearse if dry_run else original_import.import_original
        with original_databases.opened(original) as database:
            total = database.count()
            with progress(self.stderr, unit="rows", total=total) as bar:
                try:
                    report = verb(original=database, progress=bar.update)
                except (Conflict, Busy) as refusal:
                    raise CommandError(str(refusal)) from refusal
        self.report(report, "would be moved" if dry_run else "moved")

    def report(self, report: Report, moved: str) -> None:
        self.stdout.write(f"{'':<24}{moved:>16}{'here before':>14}")
        for table in TABLES.values():
            self.stdout.write(f"{table:<24}{report.moved[table]:>16}{report.known[table]:>14}")
        for note, found in report.notes.items():
            if found:
                ids = sorted(set(found))
                rest = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
                self.stdout.write(f"{note.value}: {', '.join(map(str, ids[:SHOWN]))}{rest}")
