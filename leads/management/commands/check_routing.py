import logging
import re
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import periodic
from leads import invariants as lead_invariants
from routing import bookkeeping, invariants, queue
from routing.replay import replay

log = logging.getLogger(__name__)

SETTLE = 10  # seconds, after which what was found while the service works is looked at again
AGREE = "Loads, limits, queue and contacts agree."


class Command(BaseCommand):
    help = (
        "Checks that loads equal open contacts, that only forced contacts exceed a limit, that no contact waits while "
        "an operator is free, that archived operators hold no contacts, that no waiting contact counts as taken, that "
        "only contacts that are to be taken have a time-out, that what is counted for caps agrees with the history, "
        "that the clock knows the next edge of every operator's duty, that sources are open or closed as their hours "
        "say, and that possible duplicates and shared identities agree with their leads. Exit code 1 and a list if not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--fix",
            action="store_true",
            help="correct loads, caps, edges of duty, pairs and waiting contacts, route waiting contacts, check again",
        )
        parser.add_argument(
            "--deep",
            action="store_true",
            help="replay the whole history too, see “replay”, and note what was found for metrics and alarms",
        )
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="repeat after so many seconds, until stopped")

    def handle(self, *args: Any, fix: bool, deep: bool, loop: float | None, **options: Any) -> None:
        periodic.stopped.clear()
        if fix:
            self.fix()
        if loop is not None:
            periodic.run_repeatedly(lambda: check_and_log(deep=deep), seconds=loop, log=log)
        elif deep and settings.LOG_FORMAT == "json":
            report = check_and_log(deep=deep)
            log.info(report)
            if report != AGREE:
                sys.exit(1)
        else:
            self.check_once(deep=deep)

    def check_once(self, *, deep: bool) -> None:
        for line in invariants.explained_excesses():
            self.stdout.write(f"Note: {line}")
        found = check_deeply() if deep else findings()
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write(self.style.SUCCESS(AGREE))

    def fix(self) -> None:
        for drift in invariants.drifted_loads():
            invariants.mend_load(drift.operator_id)
            self.stdout.write(f"Corrected: {drift.text}")
        for wrong in list(invariants.wrong_caps()):
            invariants.mend_caps(wrong.operator_id)
            self.stdout.write(f"Corrected: {wrong.text}")
        for edge in list(invariants.forgotten_edges()):
            invariants.mend_edge(edge.operator_id)
            self.stdout.write(f"Corrected: {edge.text}")
        deleted, corrected = lead_invariants.mend_pairs()
        if deleted:
            self.stdout.write(f"Deleted {deleted} possible duplicates of erased leads.")
        if corrected:
            self.stdout.write(f"Corrected the marks of {corrected} possible duplicates.")
        cleared = invariants.mend_taken()
        if cleared:
            self.stdout.write(f"Corrected {cleared} waiting contacts that counted as taken.")
        cleared = invariants.mend_due()
        if cleared:
            self.stdout.write(f"Corrected {cleared} contacts that were due to be taken from nobody.")
        routed = queue.sweep_queue()
        if routed:
            self.stdout.write(f"Routed {routed} waiting contacts.")


def findings() -> list[str]:
    return [*invariants.findings(), *lead_invariants.findings()]


def check_and_log(*, deep: bool) -> str:
    """One check, each finding an error of the log. Returns what came out."""
    try:
        found = check_deeply() if deep else lasting_findings()
    except Stopped:
        return "Stopped before the end of the check."
    for line in found:
        log.error("The check has found: %s", without_names(line))
    return f"The check has found {len(found)} differences." if found else AGREE


def without_names(line: str) -> str:
    """For the log, which names nobody: the ids say who it is."""
    return re.sub(r"((?:Operator|Source) \d+) \(.*?\)(?= (?:has|is|was|counts) )", r"\1", line)


def check_deeply() -> list[str]:
    """What is wrong now and what a replay finds; kept, with the moment, for metrics and alarms."""
    found = lasting_findings()
    found += replay(progress=raise_if_stopped).found.sentences()
    bookkeeping.note_moments(checked_at=timezone.now(), check_findings=len(found))
    return found


class Stopped(Exception):
    """The process is to end."""


def raise_if_stopped(contacts: int) -> None:
    if periodic.stopped.is_set():
        raise Stopped


def lasting_findings() -> list[str]:
    """While the service works a contact may be on its way out of the queue, so what is found must last."""
    found = findings()
    if not found:
        return []
    periodic.stopped.wait(SETTLE)
    still = set(findings())
    return [line for line in found if line in still]
