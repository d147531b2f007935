from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import get_language

from operators.models import Operator
from routing import holidays


class Command(BaseCommand):
    help = "Lists the public holidays of a country; with --yes adds them as absences of all operators."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("country", help="two letters, such as RU")
        parser.add_argument("years", nargs="+", type=int, metavar="year")
        parser.add_argument("--yes", action="store_true", help="add them; without it nothing is changed")

    def handle(self, *args: Any, country: str, years: list[int], yes: bool, **options: Any) -> None:
        if country.upper() not in holidays.countries():
            raise CommandError(f"{country} is not a country whose holidays are known (expected two letters like RU).")
        tomorrow = timezone.localdate() + timedelta(days=1)
        days = holidays.public_holidays(
            country=country.upper(), years=years, language=get_language() or "en", since=tomorrow
        )
        for day, name in days:
            self.stdout.write(f"{day:%Y-%m-%d} {name}")
        operator_ids = list(Operator.objects.current().values_list("pk", flat=True))
        if not yes:
            counts = f"{len(days)} days would become absences of {len(operator_ids)} operators."
            self.stdout.write(f"{counts} Nothing was changed: add --yes.")
            return
        count = holidays.import_holidays(days=days, operator_ids=operator_ids)
        self.stdout.write(f"Added {count.added} absences; skipped {count.skipped} that overlap with other absences.")
