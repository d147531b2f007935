from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import is_naive

from core import spreadsheets
from core.errors import Refusal
from routing.report import GroupBy, ask, make_report
from routing.report.table import plain_table

DAY = "2026-11-30"


class Command(BaseCommand):
    help = (
        "Prints what happened in a period, by operator, source, day or hour: as a table, or with --csv as a file for "
        "spreadsheet programs. Durations are in seconds. docs/reports.md says what each column means."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", choices=list(GroupBy), default=GroupBy.OPERATOR, help="what the rows are")
        parser.add_argument("--from", dest="since", metavar="MOMENT", help=f"a day or moment such as {DAY}")
        parser.add_argument("--to", dest="until", metavar="MOMENT", help="the end, which is not included; default: now")
        parser.add_argument("--source", type=int, metavar="ID", help="only of this source")
        parser.add_argument("--operator", type=int, metavar="ID", help="only of this operator")
        parser.add_argument("--time-zone", default=settings.TIME_ZONE, help="of days, such as Europe/Moscow")
        parser.add_argument("--csv", action="store_true", help="print the table as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"{options['time_zone']} is not a time zone such as Europe/Moscow.")
        zone = ZoneInfo(options["time_zone"])
        try:
            question = ask(
                group_by=GroupBy(options["by"]),
                since=read_moment(options["since"], zone),
                until=read_moment(options["until"], zone),
                zone=zone,
                source_id=options["source"],
                operator_id=options["operator"],
            )
            found = make_report(question)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from None
        rows = list(plain_table(found))
        if options["csv"]:
            self.stdout.write(b"".join(spreadsheets.write_csv(rows)).decode(), ending="")
        else:
            self.stdout.write(as_text([["" if cell is None else str(cell) for cell in row] for row in rows]))


def read_moment(text: str | None, zone: ZoneInfo) -> datetime | None:
    """A day begins at midnight in this zone. Raises CommandError."""
    if text is None:
        return None
    try:
        moment = parse_datetime(f"{text} 00:00" if parse_date(text) else text)
    except ValueError:
        moment = None
    if moment is None or not 1 < moment.year < 9999:
        raise CommandError(f"“{text}” is not a day or moment such as {DAY}.")
    return moment.replace(tzinfo=zone) if is_naive(moment) else moment


def as_text(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number < 2 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
