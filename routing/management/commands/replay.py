import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.progress import progress
from routing.models import Contact
from routing.replay import Replay, replay


class Command(BaseCommand):
    help = (
        "Rebuilds loads, queues, shares and settings from the history of contacts and the records of changes, and "
        "compares them with what is stored. Changes nothing, and the service goes on meanwhile. Exit code 1 and a list "
        "if something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print all that was rebuilt, and the differences")

    def handle(self, *args: Any, **options: Any) -> None:
        total = Contact.objects.count() if self.stderr.isatty() else None
        with progress(self.stderr, unit="contacts", total=total) as bar:
            done = replay(progress=bar.update)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(done), ensure_ascii=False, indent=2))
            if done.found.counts:
                sys.exit(1)
            return
        for line in summary(done):
            self.stdout.write(line)
        if done.found.counts:
            raise CommandError("\n".join(done.found.sentences()))
        self.stdout.write(self.style.SUCCESS("History, loads, queues, shares and settings agree."))


def summary(done: Replay) -> Iterator[str]:
    yield (
        f"Replayed {done.contacts} contacts with {done.events} events, and {done.changes} changes: "
        f"{sum(done.loads.values())} open with {len(done.loads)} operators, "
        f"{sum(queue.waiting for queue in done.queues.values())} waiting in {len(done.queues)} sources."
    )
    yield from (f"Note: {line}" for line in done.not_rebuilt)


def as_json(done: Replay) -> dict[str, Any]:
    return {
        "contacts": done.contacts,
        "events": done.events,
        "changes": done.changes,
        "loads": [{"operator_id": pk, "open": number} for pk, number in sorted(done.loads.items())],
        "queues": [
            {
                "source_id": pk,
                "waiting": queue.waiting,
                "first": [{"contact_id": one, "since": since and since.isoformat()} for one, since in queue.first],
            }
            for pk, queue in sorted(done.queues.items())
        ],
        "shares": [
            {"source_id": source, "operator_id": operator, "assigned": number}
            for (source, operator), number in sorted(done.assigned.items())
        ],
        "counts": {kind.value: number for kind, number in done.found.counts.items()},
        "differences": [{"kind": one.kind.value, "text": one.text, "ids": one.ids} for one in done.found.shown],
        "not_rebuilt": done.not_rebuilt,
    }
