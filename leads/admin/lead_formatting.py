"""Formats leads and identities for the back-office."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.formatting import NOTHING, change_page_link, format_datetime, link, stacked
from leads.models import EXTENSION, Identity, Lead
from routing import explanation
from routing.models import Source

WAYS = 8  # to reach one person; merged leads may have many


def reached_by(lead: Lead) -> str:
    """The lead's first phone and e-mail, or its first id in a channel if it has neither.

    Needs the identities with their sources.
    """
    ways = [display_phone(lead.first(Identity.Kind.PHONE) or ""), lead.email]
    return ", ".join(filter(None, ways)) or channel_id(lead) or NOTHING


def ways_to_reach(lead: Lead) -> list[SafeString | str]:
    """The lead's phones and e-mails as links that call or write, and its ids in channels. Needs the identities."""
    return [reach_link(one) for one in sorted(lead.identities.all(), key=in_order)[:WAYS]]


def in_order(one: Identity) -> tuple[bool, int, int]:
    return one.kind == Identity.Kind.EXTERNAL, one.rank, one.pk


def reach_link(one: Identity) -> SafeString | str:
    if one.kind == Identity.Kind.EXTERNAL:
        return display_identity(one)
    number, _separator, extension = one.value.partition(EXTENSION)
    url = f"mailto:{quote(one.value, safe='@')}" if one.kind == Identity.Kind.EMAIL else f"tel:{number}"
    return link(f"{url};ext={extension}" if extension else url, display_identity(one))


def channel_id(lead: Lead) -> str | None:
    """The lead's first id in a channel, with the name of that channel."""
    ids = [one for one in lead.identities.all() if one.kind == Identity.Kind.EXTERNAL]
    return display_identity(min(ids, key=lambda one: (one.rank, one.pk))) if ids else None


def display_phone(phone: str) -> str:
    """The phone number for people to read, with its extension, if there is one."""
    number, _separator, extension = phone.partition(EXTENSION)
    return _("%(number)s ext. %(extension)s") % {"number": number, "extension": extension} if extension else number


def lead_card(lead: Lead) -> SafeString | str:
    """What distinguishes two leads: their identities, the number of contacts, the times of the first and the last.

    Needs `with_contact_span`, and the identities with their sources.
    """
    known = sorted(lead.identities.all(), key=in_order)
    ways = [display_identity(one) for one in known[:WAYS]]
    if len(known) > WAYS:
        ways.append(_("And %(number)s more.") % {"number": len(known) - WAYS})
    if lead.merged_into_id:
        ways.append(_("Merged into lead %(id)s") % {"id": lead.merged_into_id})
    return format_html('<div class="person">{}</div>', stacked([change_page_link(lead), *ways, contact_span(lead)]))


def display_identity(one: Identity) -> str:
    value = display_phone(one.value) if one.kind == Identity.Kind.PHONE else one.value
    return f"{value} ({one.source})" if one.source else value


def author_and_source(author: str, source: Source | None) -> str:
    """Who has added something, and the source of the contact that gave it."""
    words = explanation.author_text(author)
    return f"{words} ({source})" if source else words


def addition(author: str, source: Source | None, at: datetime) -> str:
    """Who has added something, the source, and when."""
    return f"{author_and_source(author, source)}, {format_datetime(at)}"


def contact_span(lead: Any) -> str:
    """The number of contacts, and the dates of the first and the last."""
    if not lead.contact_count:
        return _("no contacts")
    span = dict.fromkeys([format_datetime(lead.first_contact_at), format_datetime(lead.last_contact_at)])
    return ngettext("%(count)d contact: %(when)s", "%(count)d contacts: %(when)s", lead.contact_count) % {
        "count": lead.contact_count,
        "when": " – ".join(span),
    }


def lead_line(lead: Lead) -> str:
    """The lead in a list of choices: name, phone and e-mail, and number, which is unique."""
    parts = [lead.name, lead.phone, lead.email, _("lead %(id)s") % {"id": lead.pk}]
    return ", ".join(filter(None, parts))
