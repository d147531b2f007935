from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from leads import invariants as lead_invariants
from routing import invariants, queue


class Command(BaseCommand):
    help = (
        "Checks that loads equal open contacts, that only forced contacts exceed a limit, that no contact waits while "
        "an operator is free, that archived operators hold no contacts, that no waiting contact counts as taken, that "
        "what is counted for caps agrees with the history, that the clock knows the next edge of every operator's "
        "duty, and that possible duplicates agree with their leads. Exit code 1 and a list if not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fix",
            action="store_true",
            help="correct loads, pairs and waiting contacts, route waiting contacts, then check again",
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
        for wrong in list(invariants.wrong_caps()):
            invariants.mend_caps(wrong.operator_id)
            self.stdout.write(f"Corrected: {wrong.text}")
        for edge in list(invariants.forgotten_edges()):
            invariants.mend_edge(edge.operator_id)
            self.stdout.write(f"Corrected: {edge.text}")
        deleted, corrected = lead_invariants.mend_pairs()
        if deleted:
            self.stdout.write(f"Deleted {deleted} possible duplicates of erased leads.")
        if corrected:
            self.stdout.write(f"Corrected the marks of {corrected} possible duplicates.")
        cleared = invariants.mend_taken()
        if cleared:
            self.stdout.write(f"Corrected {cleared} waiting contacts that counted as taken.")
        cleared = invariants.mend_due()
        if cleared:
            self.stdout.write(f"Corrected {cleared} contacts that were due to be taken from nobody.")
        routed = queue.sweep_queue()
        if routed:
            self.stdout.write(f"Routed {routed} waiting contacts.")
