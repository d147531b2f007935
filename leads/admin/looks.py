"""How loads, shares and people look in the back-office."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.models import Identity, Lead
from leads.models.lead import EXTENSION
from operators.models import Obstacle, Operator

NOTHING = "–"
SHOWN = 3
WAYS = 8  # to reach one person; merged leads may have many


def load(operator: Operator) -> SafeString:
    """ "3 of 10" and a bar; red when full, grey off duty."""
    filled = min(100, round(100 * operator.current_load / operator.max_load))
    state = {Obstacle.FULL: "full", Obstacle.INACTIVE: "away", None: "free"}[operator.obstacle]
    words = _("%(load)s of %(limit)s") % {"load": operator.current_load, "limit": operator.max_load}
    return format_html(
        '<span class="load load-{}"><span class="load-bar"><span style="width: {}%"></span></span>{}</span>',
        state,
        filled,
        words,
    )


def share(weight: int, total: int) -> str:
    """The share that a weight stands for; nothing where nobody shares."""
    return percent(100 * weight / total) if total else NOTHING


def percent(number: float) -> str:
    """With at most one decimal."""
    rounded = round(number, 1)
    return _("%(number)s%%") % {"number": formats.number_format(rounded, 0 if rounded.is_integer() else 1)}


def first_few(names: Iterable[str]) -> str:
    """ "Anna, Boris, Vera and 5 more": lists stay short however long the roster."""
    listed = list(names)
    shown, more = ", ".join(listed[:SHOWN]), len(listed) - SHOWN
    if more <= 0:
        return shown or NOTHING
    return ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", more) % {
        "names": shown,
        "count": more,
    }


def link(target: Model, text: str | None = None) -> SafeString:
    url = reverse(f"admin:{target._meta.app_label}_{target._meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', url, text or target)


def ask(url: str, text: object) -> SafeString:
    """A button that opens a dialog, on any page; those of the page itself are its `actions_detail`."""
    return format_html(
        '<a href="{0}" hx-get="{0}" hx-target="#modal-content" hx-select="#dialog"'
        ' x-on:htmx:after-on-load="openModal = true" class="ask">{1}</a>',
        url,
        text,
    )


def lines(rows: Iterable[object]) -> SafeString | str:
    """One under the other."""
    return format_html_join("", "<div>{}</div>", ((row,) for row in rows)) or NOTHING


def reached_by(lead: Lead) -> str:
    """The phone and e-mail that the lead was known by first; who has neither is known by an id in a channel.

    Needs the identities with their sources.
    """
    ways = [spoken(lead.first(Identity.Kind.PHONE) or ""), lead.email]
    return ", ".join(filter(None, ways)) or in_channel(lead) or NOTHING


def in_channel(lead: Lead) -> str | None:
    """The first id, with the channel that it means somebody in."""
    ids = [one for one in lead.identities.all() if one.kind == Identity.Kind.EXTERNAL]
    return identity(min(ids, key=lambda one: (one.rank, one.pk))) if ids else None


def spoken(phone: str) -> str:
    """As people say it: with its extension, if there is one."""
    number, _separator, extension = phone.partition(EXTENSION)
    return _("%(number)s ext. %(extension)s") % {"number": number, "extension": extension} if extension else number


def person(lead: Lead) -> SafeString | str:
    """What tells two leads apart: every way to reach them, and how often they wrote, from when to when.

    Needs `with_contact_span`, and the identities with their sources.
    """
    known = sorted(lead.identities.all(), key=lambda one: (one.kind == Identity.Kind.EXTERNAL, one.rank, one.pk))
    ways = [identity(one) for one in known[:WAYS]]
    if len(known) > WAYS:
        ways.append(_("And %(number)s more.") % {"number": len(known) - WAYS})
    if lead.merged_into_id:
        ways.append(_("Merged into lead %(id)s") % {"id": lead.merged_into_id})
    return format_html('<div class="person">{}</div>', lines([link(lead), *ways, contacts(lead)]))


def identity(one: Identity) -> str:
    value = spoken(one.value) if one.kind == Identity.Kind.PHONE else one.value
    return f"{value} ({one.source})" if one.source else value


def contacts(lead: Any) -> str:
    """How many, and when the first and the last came."""
    if not lead.contact_count:
        return _("no contacts")
    span = dict.fromkeys([moment(lead.first_contact_at), moment(lead.last_contact_at)])
    return ngettext("%(count)d contact: %(when)s", "%(count)d contacts: %(when)s", lead.contact_count) % {
        "count": lead.contact_count,
        "when": " – ".join(span),
    }


def moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")


def in_one_line(lead: Lead) -> str:
    """For choices: the name, how they are reached, and the number, which is never the same."""
    parts = [lead.name, lead.phone, lead.email, _("lead %(id)s") % {"id": lead.pk}]
    return ", ".join(filter(None, parts))


def weighed(name: str, weight: int, total: int) -> str:
    """ "Telegram: 10 (25%)": a weight means little without its share."""
    return f"{name}: {weight} ({share(weight, total)})"
