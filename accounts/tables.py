from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.db import Error, connection

from core.changes.models import Change


def require_tables() -> None:
    """Raises CommandError if the database has no accounts yet, or does not answer: commands say so, without a
    traceback."""
    try:
        tables = connection.introspection.table_names()
    except Error as error:
        raise CommandError(f"The database cannot be reached: {str(error).partition(chr(10))[0]}") from error
    if {User._meta.db_table, Change._meta.db_table} - set(tables):
        raise CommandError(
            "The database is empty: there is no table for accounts yet. Start the service once by scripts/serve, "
            "or run `manage.py migrate`; then run this command again."
        )
