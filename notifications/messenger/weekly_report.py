"""The text of the report of the last week, as it goes by e-mail to users who want it."""

from datetime import date, datetime, time, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from notifications.messenger.messages import Content
from routing.report import GroupBy, Row, ask, make_report
from routing.report.words import NO_BREAK, duration_text

WEEKLY = "report.weekly"
WEEK, DAY = timedelta(days=7), timedelta(days=1)


def number_of(monday: date) -> int:
    """Stands for the week in `Notice.event_id`; ids of events are positive."""
    return -monday.toordinal()


def weekly_content(number: int) -> Content:
    """The report of the week before the Monday of this number, by operator, in the active language."""
    monday = date.fromordinal(-number)
    zone = timezone.get_default_timezone()
    first, end = (datetime.combine(day, time(), zone) for day in (monday - WEEK, monday))
    report = make_report(ask(group_by=GroupBy.OPERATOR, since=first, until=end, zone=zone))
    days = " – ".join(formats.date_format(day, "SHORT_DATE_FORMAT") for day in (monday - WEEK, monday - DAY))
    lines = [line(row.name or _("Without an operator"), row) for row in report.rows]
    return Content(
        _("Report for %(days)s") % {"days": days},
        (line(_("Total"), report.total), "", *lines, "", _("Waits are those of half and of nine in ten contacts.")),
    )


def line(name: str, row: Row) -> str:
    """ "Anna: 12 came in, 14 assigned, 2 missed, 13 resolved, wait 0 s / 5 min"."""
    values = row.values()
    waits = values["waiting_p50"], values["waiting_p90"]
    words = _("%(name)s: %(registered)d came in, %(assigned)d assigned, %(timed_out)d missed, %(resolved)d resolved")
    sentence = words % ({"name": " ".join(name.split())} | values)
    if None in waits:
        return sentence
    return sentence + _(", wait %(waits)s") % {"waits": f"{NO_BREAK}/ ".join(duration_text(one) for one in waits)}
