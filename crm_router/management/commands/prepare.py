import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import Error, OperationalError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing

from crm_router import address, static_files
from leads import queue

MIGRATING = 0x637264  # of all advisory locks in this database, the one for migrations


class Command(BaseCommand):
    help = "All that must be true before the service starts. Repeats nothing that is true already. Exit code 1 if not."
    requires_system_checks = []  # they take as long as all the rest, and the tests have run them

    def handle(self, *args: Any, **options: Any) -> None:
        """Several services may start at once, here or on several machines with one PostgreSQL.

        1. The address must be free, and not open to others without keys.
        2. The database must answer.
        3. Migrations are applied, by one start at a time.
        4. What waits is routed, in case a process died between a commit and its look at the queue.
        5. Static files are collected when they are not there or not those of this code.
        """
        self.require_address()
        with alone_on_this_machine():
            self.require_database()
            self.migrate()
            queue.sweep()
            if not static_files.collected():
                self.stdout.write("Collecting static files (once) ...")
                static_files.collect()

    def require_address(self) -> None:
        try:
            chosen = address.from_environment()
            obstacle = address.too_open(chosen) or address.obstacle(chosen)
        except ValueError as error:
            obstacle = str(error)
        if obstacle:
            self.give_up(obstacle)

    def require_database(self) -> None:
        try:
            if connection.vendor == "sqlite":
                Path(connection.settings_dict["NAME"]).parent.mkdir(parents=True, exist_ok=True)
            connection.ensure_connection()
        except (Error, OSError) as error:
            self.give_up(f"{database_name()} cannot be reached: {first_line(error)}")

    def migrate(self) -> None:
        try:
            with alone_in_this_database():
                call_command("migrate", interactive=False, verbosity=0)
        except (OperationalError, MigrationSchemaMissing) as error:
            self.give_up(f"{database_name()} cannot be migrated: {first_line(error)}")

    def give_up(self, reason: str) -> None:
        self.stderr.write(reason)
        raise SystemExit(1)


def database_name() -> str:
    """For people, and without the password."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"The database {database['NAME']}"
    host, port = database["HOST"] or "localhost", database["PORT"] or 5432
    return f"The database {database['NAME']} on {host}:{port}"


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def alone_on_this_machine() -> Iterator[None]:
    """The lock goes with its process, however that ends."""
    folder = os.open(settings.BASE_DIR, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def alone_in_this_database() -> Iterator[None]:
    """A transaction of another connection holds the lock, because a pooler would lose one that a session holds."""
    if connection.vendor == "sqlite":
        yield
        return
    keeper = connection.copy()
    try:
        keeper.set_autocommit(False)
        with keeper.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATING])
        yield
    finally:
        keeper.close()
