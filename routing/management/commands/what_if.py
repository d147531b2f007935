import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.errors import Refusal
from operators.models import Operator
from routing.models import Strategy, WhatIf
from routing.what_if import questions, runs
from routing.what_if.answers import reason_text
from routing.what_if.past import Period
from routing.what_if.prediction import Changes

POLITE = 10  # a tenth of what a busy process of the service gets; 19 would starve where it is always busy


class Command(BaseCommand):
    help = "Says what would have been with other weights, limits, another roster or strategy of a source."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", nargs="?", type=int, help="the id of the source")
        parser.add_argument("--days", type=int, default=30, help="the last so many days (30)")
        parser.add_argument("--from", dest="since", type=moment, help="in place of --days: begin, as 2026-10-01T00:00Z")
        parser.add_argument("--to", dest="until", type=moment, help="end; by default now")
        parser.add_argument("--weight", type=pair, action="append", default=[], metavar="OPERATOR=WEIGHT")
        parser.add_argument("--limit", type=pair, action="append", default=[], metavar="OPERATOR=LIMIT")
        parser.add_argument("--roster", type=int, nargs="+", metavar="OPERATOR", help="only these operators")
        parser.add_argument("--strategy", choices=Strategy.values)
        parser.add_argument("--work", action="store_true", help="answer what was asked through pages and API, and end")

    def handle(self, *args: Any, work: bool, source: int | None, **options: Any) -> None:
        if work:
            os.nice(POLITE)  # it computes for seconds, and may not slow registrations down
            self.stdout.write(f"{runs.work_off()} what-ifs answered.")
        elif source is None:
            raise CommandError("Name the id of a source, or pass --work.")
        else:
            self.predict(source, **options)

    def predict(self, source: int, *, days: int, since: Any, until: Any, **options: Any) -> None:
        until = until or timezone.now()
        changes = Changes(dict(options["weight"]), dict(options["limit"]), options["roster"], options["strategy"])
        try:
            period = Period(since or until - timedelta(days=days), until)
            questions.check(source_id=source, since=period.since, until=period.until, changes=changes)
        except (Refusal, OverflowError) as refusal:
            raise CommandError(str(refusal)) from refusal
        found = questions.answer(source_id=source, period=period, changes=changes)
        if found.refusal:
            raise CommandError(reason_text(WhatIf(reason=found.refusal)) or "")
        self.show(found)

    def show(self, found: questions.Answer) -> None:
        names = dict(Operator.objects.values_list("pk", "name"))
        rows: list[tuple[str, ...]] = [("", "before", "after")]
        figures = [its for its in (found.before, found.after) if its]
        shares = [{one["operator_id"]: one for one in its["operators"]} for its in figures]
        for pk in sorted({*shares[0], *shares[1]}):
            rows.append((f"{names.get(pk, pk)} ({pk})", *(share_text(its.get(pk)) for its in shares)))
        for name in ("waiting_p50", "waiting_p90", "longest_queue"):
            rows.append((name, *(band_text(its, name) for its in figures)))
        self.stdout.write("\n".join(aligned(rows)))


def share_text(share: dict[str, float] | None) -> str:
    if share is None:
        return "-"
    return f"{share['share']:.1%} ({share['low']:.1%} to {share['high']:.1%})"


def band_text(figures: dict[str, Any], name: str) -> str:
    return f"{figures[name]:.0f} ({figures[f'{name}_low']:.0f} to {figures[f'{name}_high']:.0f})"


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def pair(text: str) -> tuple[int, int]:
    name, _, value = text.partition("=")
    return int(name), int(value)


def moment(text: str) -> datetime:
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return found if timezone.is_aware(found) else timezone.make_aware(found)
