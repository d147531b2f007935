import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import sleep
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, connection
from django.db.migrations.exceptions import MigrationSchemaMissing

from core.db.faults import fault_of
from crm_router import databases, static_files
from crm_router.server import address
from notifications import windows
from routing import queue

NOT_YET = 75  # EX_TEMPFAIL of sysexits.h: the same command may succeed later
PAUSE = 1  # seconds between two attempts to connect to the database
REMINDER = 30  # attempts between two lines in the log
REFUSALS = ("does not exist", "authentication failed", "no password supplied", "no pg_hba.conf entry")

MIGRATING = 0x637264  # key of the advisory lock for migrations


class Command(BaseCommand):
    help = (
        "Prepares the service to start: checks the address, collects static files, applies migrations. Repeats nothing "
        "that is done. Exit code 1 on an error, 75 if PostgreSQL does not answer yet."
    )
    requires_system_checks = []  # they take as long as everything else, and the tests run them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--beside", type=int, metavar="PID", help="wait for PostgreSQL as long as this process, the service, runs"
        )

    def handle(self, *args: Any, beside: int | None, **options: Any) -> None:
        """Prepares the start. Several services may start concurrently, on one or several machines with one PostgreSQL.

        1. Requires that the address is free, and not open to others without keys.
        2. Collects static files if they are missing or belong to other code.
        3. Requires that the database answers.
        4. Applies migrations, one service at a time.
        5. Lets the numbers of transactions go on ascending after a restore, for readers of events.
        6. Warns of a database that does not convert Russian letters to lower case.
        7. Routes waiting contacts, in case a process died between a commit and its drain of the queue.
        """
        if beside:
            self.wait_for_database(beside)
        else:
            self.require_address()
        with alone_on_this_machine():
            self.collect_static_files()
            self.require_database()
            self.migrate()
            self.continue_events()
            self.warn_of_letters()
            queue.sweep_queue()

    def require_address(self) -> None:
        try:
            chosen = address.address_from_environment()
            obstacle = address.open_to_others(chosen) or address.bind_obstacle(chosen)
        except ValueError as error:
            obstacle = str(error)
        if obstacle:
            self.give_up(obstacle)

    def collect_static_files(self) -> None:
        try:
            if not static_files.are_collected():
                self.stdout.write("Collecting static files (once) ...")
                static_files.collect_files()
        except OSError as error:
            where = f"STATIC_ROOT ({settings.STATIC_ROOT})"
            self.give_up(f"The static files cannot be collected in {where}: {error.strerror}.")

    def wait_for_database(self, service: int) -> None:
        """Tries until the database answers, with a log line every REMINDER attempts. Ends when the service ends."""
        for attempt in count():
            if not is_running(service):
                raise SystemExit(0)
            try:
                connection.ensure_connection()
                self.stderr.write(f"The database {database_label()} answers.")
                return
            except Error as error:
                if attempt % REMINDER == 0:
                    self.stderr.write(f"Waiting for the database: {why_not(error)}")
            sleep(PAUSE)

    def require_database(self) -> None:
        try:
            if connection.vendor == "sqlite":
                Path(connection.settings_dict["NAME"]).parent.mkdir(parents=True, exist_ok=True)
            connection.ensure_connection()
        except (Error, OSError) as error:
            code = 1 if connection.vendor == "sqlite" else NOT_YET
            self.give_up(
                f"The database {database_label()} cannot be reached: {why_not(error)}",
                code,
            )

    def migrate(self) -> None:
        try:
            with alone_in_this_database():
                call_command("migrate", interactive=False, verbosity=0)
        except (Error, MigrationSchemaMissing) as error:
            if isinstance(error, Error) and not fault_of(error):
                raise
            self.give_up(f"The database {database_label()} cannot be migrated: {first_line(error)}")

    def continue_events(self) -> None:
        if windows.continue_after_restore():
            self.stdout.write("The database was restored: events go on after the last one.")

    def warn_of_letters(self) -> None:
        """Warns of a database in which searches miss names in another case, or some texts cannot be stored."""
        if connection.vendor == "sqlite":
            return
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_encoding")
            [encoding] = cursor.fetchone()
            if encoding == "UTF8":
                cursor.execute("SELECT lower('А') = 'а'")
                [knows_letters] = cursor.fetchone()
        if encoding != "UTF8" or not knows_letters:
            fault = (
                "does not convert Russian letters to lower case"
                if encoding == "UTF8"
                else f"has the encoding {encoding}"
            )
            self.stderr.write(
                f"The database {database_label()} {fault}: searches will miss names. Create "
                "another: createdb --encoding UTF8 --locale C.UTF-8 --template template0"
            )

    def give_up(self, reason: str, code: int = 1) -> None:
        self.stderr.write(reason)
        raise SystemExit(code)


def database_label() -> str:
    return databases.describe_database(connection.settings_dict)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def why_not(error: Exception) -> str:
    """The reason, with a hint if waiting does not help. Server messages in other languages are returned unchanged."""
    if any(words in str(error) for words in REFUSALS):
        return (
            f"{first_line(error)}. Waiting does not help: check the user, password and name in DATABASE_URL, and that "
            "they exist in PostgreSQL."
        )
    return first_line(error)


@contextmanager
def alone_on_this_machine() -> Iterator[None]:
    """Holds a file lock, which the system releases when the process ends."""
    folder = os.open(settings.BASE_DIR, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextmanager
def alone_in_this_database() -> Iterator[None]:
    """Holds an advisory lock in a transaction of another connection, because poolers break session-level locks."""
    if connection.vendor == "sqlite":
        yield
        return
    keeper = connection.copy()
    # With server-side binding the statement keeps its snapshot, for which CREATE INDEX CONCURRENTLY would wait.
    keeper.settings_dict["OPTIONS"]["server_side_binding"] = False
    try:
        keeper.set_autocommit(False)
        with keeper.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATING])
        yield
    finally:
        keeper.close()
