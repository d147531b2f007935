from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads import invariants as lead_invariants
from routing import invariants, queue


class Command(BaseCommand):
    help = (
        "Checks that loads equal open contacts, that only forced contacts exceed a limit, that no contact waits while "
        "an operator is free, and that archived operators hold no contacts. Exit code 1 and a list if not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fix", action="store_true", help="correct loads and marks, route waiting contacts, then check again"
        )

    def handle(self, *args: Any, fix: bool, **options: Any) -> None:
        if fix:
            self.fix()
        for line in invariants.explained_excesses():
            self.stdout.write(f"Note: {line}")
        found = [*invariants.findings(), *lead_invariants.findings()]
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(self.style.SUCCESS("Loads, limits, queue and contacts agree."))

    def fix(self) -> None:
        for drift in invariants.drifted_loads():
            invariants.mend_load(drift.operator_id)
            self.stdout.write(f"Corrected: {drift.text}")
        if marks := lead_invariants.mend_marks():
            self.stdout.write(f"Corrected the marks of {marks} possible duplicates.")
        routed = queue.sweep_queue()
        if routed:
            self.stdout.write(f"Routed {routed} waiting contacts.")
