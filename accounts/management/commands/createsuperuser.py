from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User

from accounts.account_changes import record_account, state_of
from accounts.tables import require_tables
from core.changes.recording import SERVICE


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """As Django's, and records the new account. Says what to do first where there are no tables yet."""
        require_tables()
        known = set(User.objects.values_list("pk", flat=True))
        super().handle(*args, **options)
        for user in User.objects.exclude(pk__in=known):
            record_account("created", SERVICE, user, before={}, after=state_of(user))
