from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access import keys
from core import text
from core.errors import Unknown
from routing.models import Source


class Command(BaseCommand):
    help = "Creates an API key and prints it once: the key to stdout, a note to stderr."

    def add_arguments(self, parser: CommandParser) -> None:
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument(
            "--source", type=int, metavar="ID", help="a key that registers and reads the contacts of this source"
        )
        scope.add_argument("--management", action="store_true", help="a key that may do everything")
        parser.add_argument("--name", required=True, help="the program or person that uses the key")
        parser.add_argument(
            "--expires-in", type=int, metavar="DAYS", help="days until the key expires; by default it never does"
        )

    def handle(self, *args: Any, name: str, source: int | None, expires_in: int | None, **options: Any) -> None:
        name = text.trim(name)
        if not 1 <= len(name) <= 100:
            raise CommandError("--name must have 1 to 100 characters.")
        if expires_in is not None and not 1 <= expires_in <= 36_500:
            raise CommandError("--expires-in must be a number of days from 1 to 36500.")
        new = keys.make_key(
            name=name,
            source=self.find_source(source) if source is not None else None,
            expires_at=timezone.now() + timedelta(days=expires_in) if expires_in else None,
        )
        scope = f"source {new.key.source}" if new.key.source else "management"
        self.stderr.write(f"Key {new.key} for {scope}. It is not shown again: store it like a password.")
        self.stdout.write(new.secret)

    def find_source(self, source_id: int) -> Source:
        source = Source.objects.current().filter(pk=source_id).first()
        if source is None:
            raise CommandError(str(Unknown("source", source_id)))
        return source
