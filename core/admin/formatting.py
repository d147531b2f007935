"""Formats loads, shares, texts, links and times for the back-office."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Model
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NOTHING = "–"
SHOWN = 3
MINUTE = timedelta(minutes=1)
EXCERPT = 60  # characters of a message in lists


def load_bar(*, load: int, limit: int, obstacle: str | None) -> SafeString:
    """ "3 of 10" and a bar; at the limit "full", above it by how many, grey off duty or capped."""
    filled = min(100, round(100 * load / limit))
    state = {"full": "full", "inactive": "away", "capped": "away"}.get(obstacle or "", "free")
    words = _("%(load)s of %(limit)s") % {"load": load, "limit": limit}
    if load > limit:
        state, words = (
            "over",
            _("%(load)s of %(limit)s, over by %(more)s")
            % {
                "load": load,
                "limit": limit,
                "more": load - limit,
            },
        )
    return format_html(
        '<span class="load load-{}"><span class="load-bar"><span style="width: {}%"></span></span>{}</span>',
        state,
        filled,
        words,
    )


def share(weight: int, total: int) -> str:
    """The weight as a share of the total; a dash if the total is 0."""
    return percent(100 * weight / total) if total else NOTHING


def percent(number: float) -> str:
    """A percentage with at most one decimal."""
    rounded = round(number, 1)
    return _("%(number)s%%") % {"number": formats.number_format(rounded, 0 if rounded.is_integer() else 1)}


def first_few(names: Iterable[str], *, count: int) -> str:
    """ "Anna, Boris, Vera and 5 more": of `count` names the first `SHOWN`, which are given."""
    listed = list(names)
    shown, more = ", ".join(listed), count - len(listed)
    if more <= 0:
        return shown or NOTHING
    return ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", more) % {
        "names": shown,
        "count": more,
    }


def beginning_of(field: str) -> Left:
    """As much of a long text as `excerpt` needs, as an annotation; a list then defers the text itself."""
    return Left(field, EXCERPT + 1)


def excerpt(text: str | None) -> str:
    return Truncator(text or "").chars(EXCERPT) or NOTHING


def change_page_link(target: Model, text: str | None = None) -> SafeString:
    url = reverse(f"admin:{target._meta.app_label}_{target._meta.model_name}_change", args=[target.pk])
    return link(url, text or target)


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)


def dialog_link(url: str, text: object) -> SafeString:
    """A button that opens a dialog, for use inside page content; page-level buttons are `actions_detail`."""
    return format_html(
        '<a href="{0}" hx-get="{0}" hx-target="#modal-content" hx-select="#dialog"'
        ' x-on:htmx:after-on-load="openModal = true" class="ask">{1}</a>',
        url,
        text,
    )


def stacked(rows: Iterable[object]) -> SafeString | str:
    """Shows the rows one below the other."""
    return format_html_join("", "<div>{}</div>", ((row,) for row in rows)) or NOTHING


def format_datetime(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def format_time(at: datetime) -> str:
    """The time; with the date if that is not today."""
    local = timezone.localtime(at)
    return formats.date_format(local, "TIME_FORMAT") if local.date() == timezone.localdate() else format_datetime(at)


def duration_text(length: timedelta) -> str:
    """ "5 min", "3 h" or "2 days", rounded down."""
    minutes = length // MINUTE
    if minutes < 1:
        return _("less than 1 min")
    if minutes < 60:
        return _("%(number)s min") % {"number": minutes}
    if minutes < 24 * 60:
        return _("%(number)s h") % {"number": minutes // 60}
    days = minutes // (24 * 60)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}


def elapsed(at: datetime, now: datetime) -> SafeString:
    """How long it is since or until then, which the browser counts on by the words of `elapsed_words.html`."""
    return format_html('<span data-elapsed="{}">{}</span>', at.isoformat(), duration_text(abs(now - at)))


def age(at: datetime) -> SafeString:
    """How long ago it was, with the moment in the title. The browser counts on, as with `elapsed`."""
    return format_html('<span title="{}">{}</span>', format_datetime(at), elapsed(at, timezone.now()))


def weight_and_share(name: str, weight: int, total: int) -> str:
    """ "Telegram: 10 (25%)": a weight means little without its share."""
    return f"{name}: {weight} ({share(weight, total)})"
