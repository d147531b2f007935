import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from core import periodic
from leads import idempotency, retention
from notifications.messenger import pruning as messages
from notifications.webhooks import pruning
from routing import bookkeeping
from routing.what_if import runs

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Deletes idempotency keys older than IDEMPOTENCY_DAYS, expired sessions, deliveries of webhooks, "
        "notifications and what-ifs older than EVENTS_DAYS, and erases what is older than RETENTION_MESSAGE_DAYS and "
        "RETENTION_PERSON_DAYS. Run it once a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--loop", type=float, metavar="SECONDS", help="repeat after so many seconds, until stopped")
        how.add_argument("--dry-run", action="store_true", help="count what would be deleted, and change nothing")

    def handle(self, *args: Any, loop: float | None, dry_run: bool, **options: Any) -> None:
        if dry_run:
            periodic.run_once(count_what_is_due, log=log, stdout=self.stdout)
        elif loop is None:
            periodic.run_once(prune, log=log, stdout=self.stdout)
        else:
            periodic.run_repeatedly(prune, seconds=loop, log=log)


def prune() -> str:
    """Stores the time of the run last, so that a run that failed half-way does not count as done."""
    parts = (
        forget_keys,
        clear_sessions,
        erase_messages,
        erase_people,
        forget_deliveries,
        forget_notices,
        forget_what_ifs,
    )
    done = periodic.run_parts(*parts, log=log)
    if may_go_on():
        bookkeeping.note_moments(pruned_at=timezone.now())
    return done


def forget_keys() -> str:
    keys = idempotency.forget_old_keys(older_than=days_ago(settings.IDEMPOTENCY_DAYS))
    return f"Deleted {keys} idempotency keys older than {settings.IDEMPOTENCY_DAYS} days."


def clear_sessions() -> str:
    call_command("clearsessions")
    return "Deleted expired sessions."


def erase_messages() -> str:
    days = settings.RETENTION_MESSAGE_DAYS
    if not days:
        return ""
    messages = retention.erase_old_messages(resolved_before=days_ago(days), go_on=may_go_on)
    return f"Erased the texts of {messages} contacts resolved more than {days} days ago."


def erase_people() -> str:
    days = settings.RETENTION_PERSON_DAYS
    if not days:
        return ""
    people = retention.erase_old_people(since=days_ago(days), go_on=may_go_on)
    return f"Erased {people} people without contact for {days} days."


def forget_deliveries() -> str:
    days = settings.EVENTS_DAYS
    deleted = pruning.delete_old_deliveries(created_before=days_ago(days), go_on=may_go_on)
    return f"Deleted {deleted} deliveries of webhooks older than {days} days." if deleted else ""


def forget_notices() -> str:
    days = settings.EVENTS_DAYS
    deleted = messages.delete_old_notices(created_before=days_ago(days), go_on=may_go_on)
    return f"Deleted {deleted} notifications older than {days} days." if deleted else ""


def forget_what_ifs() -> str:
    days = settings.EVENTS_DAYS
    deleted = runs.forget_old_runs(created_before=days_ago(days))
    return f"Deleted {deleted} what-ifs older than {days} days." if deleted else ""


def count_what_is_due() -> str:
    keys = idempotency.old_keys(older_than=days_ago(settings.IDEMPOTENCY_DAYS)).count()
    sessions = Session.objects.filter(expire_date__lt=timezone.now()).count()
    due = [f"{keys} idempotency keys older than {settings.IDEMPOTENCY_DAYS} days", f"{sessions} expired sessions"]
    if days := settings.RETENTION_MESSAGE_DAYS:
        contacts = retention.contacts_with_old_texts(resolved_before=days_ago(days)).count()
        due.append(f"the texts of {contacts} contacts resolved more than {days} days ago")
    if days := settings.RETENTION_PERSON_DAYS:
        people = retention.people_without_contact(since=days_ago(days)).count()
        due.append(f"{people} people without contact for {days} days")
    if deliveries := pruning.old_deliveries(created_before=days_ago(settings.EVENTS_DAYS)).count():
        due.append(f"{deliveries} deliveries of webhooks older than {settings.EVENTS_DAYS} days")
    if notices := messages.old_notices(created_before=days_ago(settings.EVENTS_DAYS)).count():
        due.append(f"{notices} notifications older than {settings.EVENTS_DAYS} days")
    if what_ifs := runs.old_runs(created_before=days_ago(settings.EVENTS_DAYS)).count():
        due.append(f"{what_ifs} what-ifs older than {settings.EVENTS_DAYS} days")
    return f"Would delete {', '.join(due)}. Nothing was changed."


def may_go_on() -> bool:
    return not periodic.stopped.is_set()


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
