import random
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import Unknown
from core.progress import progress
from leads import registration
from routing.models import RosterEntry, Source


class Command(BaseCommand):
    help = "Registers contacts of new people as a bot would, and compares their distribution with the weights."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, required=True, help="how many contacts")
        parser.add_argument("--source", type=int, help="id of the source; by default the first that has a roster")

    def handle(self, *args: Any, count: int, source: int | None, **options: Any) -> None:
        if count < 1:
            raise CommandError("--count must be at least 1.")
        self.register(count, source or self.first_with_roster())

    def register(self, count: int, source_id: int) -> None:
        if not Source.objects.current().filter(pk=source_id).exists():
            raise CommandError(str(Unknown("source", source_id)))
        base = random.randrange(10**9)  # other people each time
        got: Counter[int | None] = Counter()
        with progress(self.stderr, unit="contacts", total=count) as bar:
            for number in range(1, count + 1):
                contact = registration.register_contact(
                    source_id=source_id, lead_phone=f"+79{(base + number) % 10**9:09d}", message=f"Contact {number}"
                )
                got[contact.operator_id] += 1
                bar.update(1)
        self.report(Source.objects.get(pk=source_id), got)

    def first_with_roster(self) -> int:
        entry = RosterEntry.objects.current().order_by("source_id").first()
        if entry is None:
            raise CommandError("No source has a roster. Create one, or run seed_demo.")
        return entry.source_id

    def report(self, source: Source, got: Counter[int | None]) -> None:
        waiting = got.pop(None, 0)
        assigned = max(got.total(), 1)
        roster = source.roster.current().select_related("operator").order_by("operator_id")
        total = sum(entry.weight for entry in roster)
        self.stdout.write(f"{source.name}: {got.total()} assigned, {waiting} waiting")
        self.stdout.write(f"{'operator':<24}{'contacts':>9}{'share':>8}{'weight':>8}{'expected':>10}{'load':>12}")
        for entry in roster:
            mine = got[entry.operator_id]
            load = f"{entry.operator.current_load} of {entry.operator.max_load}"
            self.stdout.write(
                f"{entry.operator.name:<24}{mine:>9}{mine / assigned:>8.1%}"
                f"{entry.weight:>8}{entry.weight / total:>10.1%}{load:>12}"
            )
        if waiting:
            self.stdout.write("Shares differ from the weights once an operator is at the limit.")
