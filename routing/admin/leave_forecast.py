"""What the leave wizard shows of a forecast: who would get which contacts, and when nobody is planned."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin import formatting
from operators.weekly import Interval
from routing import explanation
from routing.leave import Colleague, Forecast, LeavePreview, SourceForecast

HOLES = 10  # intervals shown for one source
SHARES = 10  # colleagues shown for one source

Table = dict[str, list[Any]]


def forecast(preview: LeavePreview, zone: ZoneInfo) -> dict[str, Any]:
    """What the template shows of the preview."""
    return {
        "preview": preview,
        "period": period_text(preview.start, preview.end, zone),
        "zone": zone.key,
        "page_zone": timezone.get_current_timezone_name(),
        "back": reverse("leave"),
        "summary": summary_text(preview),
        "colleagues": colleagues_table(preview.colleagues),
        "contacts": contacts_table(preview.contacts),
        "sources": sources_table(preview.sources),
    }


def summary_text(preview: LeavePreview) -> str:
    number = len(preview.contacts)
    if not number:
        return _("There are no open contacts to hand over.")
    return ngettext(
        "If handed over now: of %(count)d open contact %(given)d would go to colleagues, %(queued)d to the queue.",
        "If handed over now: of %(count)d open contacts %(given)d would go to colleagues, %(queued)d to the queue.",
        number,
    ) % {"count": number, "given": number - preview.queued, "queued": preview.queued}


def colleagues_table(colleagues: Sequence[Colleague]) -> Table:
    return {
        "headers": [capfirst(_("operator")), _("Would get"), _("Load before"), _("Load after")],
        "rows": [
            [
                formatting.change_page_link(one.operator),
                formats.number_format(one.gets),
                load_bar(one.load, one.operator.max_load),
                load_bar(one.load + one.gets, one.operator.max_load),
            ]
            for one in colleagues
        ],
    }


def load_bar(load: int, limit: int) -> SafeString:
    return formatting.load_bar(load=load, limit=limit, obstacle="full" if load >= limit else None)


def contacts_table(contacts: Sequence[Forecast]) -> Table:
    return {
        "headers": [capfirst(_("contact")), capfirst(_("lead")), capfirst(_("source")), _("Would go to")],
        "rows": [
            [formatting.change_page_link(one.contact), str(one.contact.lead), one.contact.source, destination_text(one)]
            for one in contacts
        ],
    }


def destination_text(one: Forecast) -> SafeString | str:
    """ "Boris (60%)" or "the queue (everybody is at the limit)"."""
    if one.operator is None:
        words = _("the queue (%(reason)s)") % {"reason": explanation.reason_text(one.reason or "")}
        return format_html('<span class="unfair">{}</span>', words)
    if one.chance is None or one.chance >= 1:
        return one.operator.name
    return _("%(name)s (chance %(chance)s)") % {
        "name": one.operator.name,
        "chance": formatting.percent(round(100 * one.chance)),
    }


def sources_table(sources: Sequence[SourceForecast]) -> Table:
    return {
        "headers": [capfirst(_("source")), _("Shares by weight"), _("Nobody is planned")],
        "rows": [
            [formatting.change_page_link(one.source), one_cell(share_lines(one)), one_cell(hole_lines(one))]
            for one in sources
        ],
    }


def one_cell(lines: Sequence[object]) -> SafeString:
    """The lines one below the other, also on small screens, where a cell puts its parts side by side."""
    return format_html("<div>{}</div>", formatting.stacked(lines))


def share_lines(one: SourceForecast) -> list[object]:
    lines = [
        f"{share.operator}: {formatting.percent(100 * share.before)} → {formatting.percent(100 * share.after)}"
        for share in one.shares
    ]
    return shortened(lines, SHARES)


def hole_lines(one: SourceForecast) -> list[object]:
    """Those because of the leave in red, then those that are there anyway."""
    because = [format_html('<span class="unfair">{}</span>', interval_text(hole)) for hole in one.holes]
    anyway = [
        _("%(interval)s (also without the leave)") % {"interval": interval_text(hole)} for hole in one.other_holes
    ]
    return [*shortened(because, HOLES), *shortened(anyway, HOLES)]


def shortened(lines: Sequence[object], most: int) -> list[object]:
    more = len(lines) - most
    return [*lines[:most], *([_("And %(number)s more.") % {"number": more}] if more > 0 else [])]


def interval_text(interval: Interval) -> str:
    """ "Mon 30.11.2026 09:00 – 18:00", in the time zone of the page."""
    return period_text(*interval, timezone.get_current_timezone())


def period_text(start: datetime, end: datetime, zone: tzinfo) -> str:
    begin, until = start.astimezone(zone), end.astimezone(zone)
    is_one_day = begin.date() == until.date()
    return f"{moment_text(begin)} – {formats.date_format(until, 'H:i') if is_one_day else moment_text(until)}"


def moment_text(local: datetime) -> str:
    return f"{formats.date_format(local, 'D')} {formats.date_format(local, 'SHORT_DATETIME_FORMAT')}"
