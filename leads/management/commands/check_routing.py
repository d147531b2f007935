from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads import invariants


class Command(BaseCommand):
    help = "Proves that loads equal open contacts and no limit is exceeded. Exit code 1 with the list otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="set drifted loads right, then check again")

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        if fix:
            for finding in invariants.drifted_loads():
                invariants.mend_load(finding.operator_id)
                self.stdout.write(f"Mended: {finding.text}")
        found = [finding.text for finding in invariants.findings()]
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(self.style.SUCCESS("Loads, limits and contacts agree."))
