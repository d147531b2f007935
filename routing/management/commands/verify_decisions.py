from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routing import invariants


class Command(BaseCommand):
    help = "Recomputes every stored decision from its evidence. Exit code 1 and a list if some do not match."

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(invariants.wrong_decisions())
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(self.style.SUCCESS("Every stored decision follows from its evidence."))
