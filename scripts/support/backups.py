"""Backs up and restores the database of DATABASE_URL: pg_dump's custom format, or SQLite's online backup."""

import argparse
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm_router.settings")

import django
from django.conf import settings
from django.db.backends.postgresql.client import DatabaseClient

from crm_router import databases

DATABASE: dict[str, Any] = settings.DATABASES["default"]
ON_SQLITE = DATABASE["ENGINE"] == "core.db.sqlite"
SUFFIX = "sqlite3" if ON_SQLITE else "dump"


def main() -> None:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    making = verbs.add_parser("backup")
    making.add_argument("folder", type=Path)
    making.add_argument("--keep", type=int, help="how many to keep, the newest")
    making.set_defaults(do=backup)
    reading = verbs.add_parser("restore")
    reading.add_argument("file", type=Path)
    reading.set_defaults(do=restore)
    arguments = vars(parser.parse_args())
    arguments.pop("do")(**arguments)


def backup(folder: Path, keep: int | None) -> None:
    """What has a backup's name is one: it is written beside it, and named when it is whole."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        sys.exit(f"Backups cannot be written to {folder}: {error.strerror}.")
    target = folder / f"crm-router-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.{SUFFIX}"
    draft = target.with_suffix(".part")
    try:
        if ON_SQLITE:
            copy(Path(DATABASE["NAME"]), draft)
        else:
            postgresql("pg_dump", "--format=custom", f"--file={draft}", database())
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    print(target)
    tell(folder)
    older = sorted(folder.glob(f"crm-router-*.{SUFFIX}"))[: -keep or None] if keep else []
    for file in older:
        file.unlink()


def tell(folder: Path) -> None:
    """When it was, for the textfile collector of node_exporter, which may read this and nothing else here."""
    told = folder / "metrics/crm_router_backup.prom"
    draft = told.with_suffix(".part")
    told.parent.mkdir(exist_ok=True)
    draft.write_text(f"crm_router_last_backup_timestamp_seconds {time.time():.0f}\n")
    told.parent.chmod(0o755)
    draft.chmod(0o644)
    draft.rename(told)


def restore(file: Path) -> None:
    if not file.is_file():
        sys.exit(f"File {file} does not exist.")
    if file.suffix != f".{SUFFIX}":
        sys.exit(f"{file} is not a valid backup for this database (expected a .{SUFFIX} file).")
    if ON_SQLITE:
        restore_sqlite(file)
    else:
        restore_postgresql(file)


def restore_sqlite(file: Path) -> None:
    target = Path(DATABASE["NAME"])
    if target.exists():
        sys.exit(f"{target} already exists. Move it away first, with its -wal and -shm files.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.part")
        copy(file, draft)
        draft.rename(target)
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"{target} cannot be restored: {error}.")


def restore_postgresql(file: Path) -> None:
    """All or nothing. Owner and rights are those of the user who restores."""
    tables = "SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'"
    if count(tables):
        sys.exit(f"The database {database()} is not empty. Restore into a new one.")
    postgresql(
        "pg_restore", "--single-transaction", "--no-owner", "--no-privileges", f"--dbname={database()}", str(file)
    )


def count(query: str) -> int:
    from django.db import Error, connection

    django.setup()  # else Django warns that nobody has, among the words of a restore
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return int(cursor.fetchone()[0])
    except Error as error:
        first_line = str(error).partition("\n")[0]
        sys.exit(f"The database {databases.describe_database(DATABASE)} cannot be restored: {first_line}")


def copy(source: Path, target: Path) -> None:
    """Also of a database in use: a snapshot, and nobody waits meanwhile."""
    target.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=rw", uri=True)) as one,
        closing(sqlite3.connect(target)) as other,
    ):
        one.backup(other)
        other.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        [verdict] = other.execute("PRAGMA quick_check").fetchone()
    if verdict != "ok":
        sys.exit(f"{source} is damaged: {verdict}")


def database() -> str:
    return str(DATABASE["NAME"])


def postgresql(program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs with Django's way of telling psql where and who; the password stays hidden."""
    words, secrets = DatabaseClient.settings_to_cmd_args_env(DATABASE, [])
    where = words[1:-1]  # the program and the database stand around it
    secrets = {"PGTARGETSESSIONATTRS": DATABASE["OPTIONS"]["target_session_attrs"], **(secrets or {})}
    try:
        done = subprocess.run([program, *where, *arguments], env=os.environ | secrets, check=False)
    except FileNotFoundError:
        sys.exit(f"{program} was not found on the PATH. On Debian and Ubuntu: apt-get install postgresql-client")
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
