import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core import periodic
from leads import idempotency
from routing.models import Upkeep

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Deletes idempotency keys older than IDEMPOTENCY_DAYS, and expired sessions. Run it once a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="repeat after so many seconds, until stopped")

    def handle(self, *args: Any, loop: float | None, **options: Any) -> None:
        if loop is None:
            periodic.run_once(prune, log=log, stdout=self.stdout)
        else:
            periodic.run_repeatedly(prune, seconds=loop, log=log)


def prune() -> str:
    """Stores the time of the run last, so that a run that failed half-way does not count as done."""
    forgotten = idempotency.forget_old_keys(older_than=timezone.now() - timedelta(days=settings.IDEMPOTENCY_DAYS))
    call_command("clearsessions")
    Upkeep.objects.update_or_create(pk=1, defaults={"pruned_at": timezone.now()})
    return f"Deleted {forgotten} idempotency keys older than {settings.IDEMPOTENCY_DAYS} days, and expired sessions."
