from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from leads import repetition


class Command(BaseCommand):
    help = "Forgets idempotency keys older than IDEMPOTENCY_DAYS, and sessions that are over. For once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        forgotten = repetition.forget(older_than=timezone.now() - timedelta(days=settings.IDEMPOTENCY_DAYS))
        self.stdout.write(f"{forgotten} idempotency keys older than {settings.IDEMPOTENCY_DAYS} days forgotten.")
        call_command("clearsessions")
        self.stdout.write("Sessions that are over deleted.")
