import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.contrib.auth.models import User

from accounts.account_changes import record_password
from accounts.tables import require_tables
from core.changes.recording import SERVICE


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> Any:
        """As Django's, and records that the password was set."""
        require_tables()
        said = super().handle(*args, **options)
        record_password(SERVICE, User.objects.get_by_natural_key(options["username"] or getpass.getuser()))
        return said
