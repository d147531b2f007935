"""The texts of messages, in the active language, made from what is true when they are sent."""

import hashlib
import json
from dataclasses import dataclass
from html import escape

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.messenger.models import Alarm, Notice
from routing import explanation
from routing.history import What
from routing.models import Contact
from routing.report.words import duration_text

LONGEST_MESSAGE = 3000  # of the client's text, see `cut`; Telegram takes 4096 in all
LONGEST_NAME = 100

TAKE, CANNOT, DONE, PAUSE = "take", "cannot", "done", "pause"
PAUSE_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Content:
    """A message in plain text: its first line, the lines below, and buttons as (verb, label), row by row."""

    title: str
    lines: tuple[str, ...] = ()
    buttons: tuple[tuple[tuple[str, str], ...], ...] = ()

    @property
    def text(self) -> str:
        return "\n".join([self.title, *self.lines])

    @property
    def html(self) -> str:
        """For Telegram: the first line in bold."""
        return "\n".join([f"<b>{escape(self.title, quote=False)}</b>", *(escape(x, quote=False) for x in self.lines)])

    @property
    def digest(self) -> str:
        return hashlib.md5(json.dumps([self.text, self.buttons]).encode(), usedforsecurity=False).hexdigest()


def contact_content(contact: Contact, operator_id: int) -> Content:
    """What this operator is shown of a contact, with buttons for what can be done now.

    `contact` has its source, operator and lead loaded. The client's data are for the operator who has it.
    """
    number = {"id": contact.pk}
    if contact.operator_id != operator_id and was_missed(contact, operator_id):
        return Content(
            _("Contact %(id)s: you have not taken it in time") % number, (where_line(contact), source_line(contact))
        )
    if contact.operator_id is None and not contact.is_resolved:
        return Content(_("Contact %(id)s: back in the queue") % number, (source_line(contact),))
    if contact.operator_id != operator_id:
        has = _("Contact %(id)s: %(name)s has it") % (number | {"name": contact.operator or "–"})
        return Content(has, (source_line(contact),))
    if contact.is_resolved:
        return Content(_("Contact %(id)s: done") % number, (source_line(contact),))
    due = capfirst(explanation.due_text(contact))
    lines = (*([due] if due else []), source_line(contact), *client_lines(contact))
    if contact.accepted_at:
        return Content(_("Contact %(id)s: you have taken it") % number, lines, buttons([DONE, CANNOT]))
    return Content(_("New contact %(id)s") % number, lines, buttons([TAKE, CANNOT], [DONE, PAUSE]))


def buttons(*rows: list[str]) -> tuple[tuple[tuple[str, str], ...], ...]:
    labels = {
        TAKE: _("Take"),
        CANNOT: _("Cannot"),
        DONE: _("Done"),
        PAUSE: _("Pause %(minutes)s min") % {"minutes": PAUSE_MINUTES},
    }
    return tuple(tuple((verb, labels[verb]) for verb in row) for row in rows)


def was_missed(contact: Contact, operator_id: int) -> bool:
    """Whether this operator has lost the contact because of not taking it in time."""
    lost = contact.history.filter(from_operator=operator_id).order_by("pk").values_list("what", flat=True)
    return lost.last() == What.TIMED_OUT


def where_line(contact: Contact) -> str:
    if contact.is_resolved:
        return _("It is done already.")
    if contact.operator is None:
        return _("It is back in the queue.")
    return _("%(name)s has it.") % {"name": contact.operator}


def source_line(contact: Contact) -> str:
    return _("Source: %(name)s") % {"name": contact.source.name}


def client_lines(contact: Contact) -> list[str]:
    """Who the client is and what they wrote; nothing if NOTIFY_PERSONAL_DATA forbids it."""
    if not settings.NOTIFY_PERSONAL_DATA or contact.lead.erased_at:
        return []
    lead = contact.lead
    known = [cut(lead.name, LONGEST_NAME) if lead.name else None, lead.phone, lead.email]
    client = ", ".join(filter(None, known)) or str(lead)
    message = cut(contact.message, LONGEST_MESSAGE) if contact.message else None
    return [_("Client: %(client)s") % {"client": client}, *(["", message] if message else [])]


def cut(text: str, longest: int) -> str:
    """At most so many units of UTF-16, which Telegram counts: an emoji is two, and a combining accent is one."""
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * longest else units[: 2 * longest - 2].decode("utf-16-le", "ignore") + "…"


def event_content(notice: Notice, contact: Contact) -> Content:
    """A short message about what has happened to a contact, for channels that ask for more than new contacts."""
    titles = {
        "contact.registered": _("Contact %(id)s was registered"),
        "contact.queued": _("Contact %(id)s was put into the queue"),
        "contact.accepted": _("Contact %(id)s was taken"),
        "contact.declined": _("Contact %(id)s was declined"),
        "contact.timed_out": _("Contact %(id)s was taken away: nobody reacted in time"),
        "contact.resolved": _("Contact %(id)s is done"),
        "contact.reopened": _("Contact %(id)s was reopened"),
    }
    title = titles.get(notice.type, _("Contact %(id)s has changed"))
    return Content(title % {"id": contact.pk}, (source_line(contact),))


def alarm_content(alarm: Alarm, *, is_over: bool) -> Content:
    """What supervisors are told when an alarm begins and when it is over."""
    details = {"name": "", "number": 0, "reason": "", "now": 0, "usual": 0} | alarm.details
    details |= {"wait": duration_text(details["now"]), "usual_wait": duration_text(details["usual"])}
    begun = {
        Alarm.Kind.WAITING: ngettext(
            "Source %(name)s: a contact has been waiting for more than %(number)d minute",
            "Source %(name)s: a contact has been waiting for more than %(number)d minutes",
            details["number"],
        ),
        Alarm.Kind.UNSERVED: _("Source %(name)s: nobody on duty serves it"),
        Alarm.Kind.FULL: _("Everybody on duty is at the limit"),
        Alarm.Kind.WEBHOOK_OFF: _("The webhook %(name)s was switched off: %(reason)s"),
        Alarm.Kind.CHANNEL_OFF: _("The channel %(name)s was switched off: %(reason)s"),
        Alarm.Kind.NOBODY_REACTED: ngettext(
            "Source %(name)s: nobody has reacted to %(number)d contact, which waits for a supervisor",
            "Source %(name)s: nobody has reacted to %(number)d contacts, which wait for a supervisor",
            details["number"],
        ),
        Alarm.Kind.MISSED: _("%(name)s is off duty now: too many contacts in a row were not taken in time"),
        Alarm.Kind.SLOW: _(
            "Source %(name)s: in the last full hour nine in ten clients waited up to %(wait)s, usually %(usual_wait)s"
        ),
        Alarm.Kind.MISSES: _("%(name)s has missed %(now)d offers in 24 hours, usually %(usual)s"),
        Alarm.Kind.CHECK: ngettext(
            "check_routing found %(number)d inconsistency",
            "check_routing found %(number)d inconsistencies",
            details["number"],
        ),
    }
    over = {
        Alarm.Kind.WAITING: _("Over. Source %(name)s: nobody waits too long any more"),
        Alarm.Kind.UNSERVED: _("Over. Source %(name)s: somebody on duty serves it again"),
        Alarm.Kind.FULL: _("Over. Somebody on duty has a free place again"),
        Alarm.Kind.WEBHOOK_OFF: _("Over. The webhook %(name)s is switched on again, or was deleted"),
        Alarm.Kind.CHANNEL_OFF: _("Over. The channel %(name)s is switched on again, or was removed"),
        Alarm.Kind.NOBODY_REACTED: _("Over. Source %(name)s: somebody has every contact to which nobody had reacted"),
        Alarm.Kind.MISSED: _("Over. %(name)s is on duty again, or has left"),
        Alarm.Kind.SLOW: _("Over. Source %(name)s: waits are as usual again"),
        Alarm.Kind.MISSES: _("Over. %(name)s misses no more offers than usual"),
        Alarm.Kind.CHECK: _("Over. check_routing finds nothing any more"),
    }
    return Content((over if is_over else begun)[Alarm.Kind(alarm.kind)] % details)
