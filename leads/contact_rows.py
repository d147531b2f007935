"""Contacts as rows of a table, one each, with the data of their clients."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.db.long_texts import read_in_slices
from core.spreadsheets import Cell
from routing import explanation
from routing.models import Contact, ContactQuerySet


def contacts_of(
    *, since: datetime, until: datetime, source_id: int | None = None, operator_id: int | None = None
) -> ContactQuerySet:
    """Registered in this period; of this source, and with this operator now or at the end."""
    found = Contact.objects.filter(created_at__gte=since, created_at__lt=until)
    found = found.filter(source=source_id) if source_id else found
    return found.filter(operator=operator_id) if operator_id else found


def contact_table(contacts: ContactQuerySet) -> Iterator[Sequence[Cell]]:
    """With headings, oldest first, a bounded number of rows at a time. Moments are those of the active time zone."""
    yield [
        _("Contact"),
        with_zone(_("Received")),
        _("Source"),
        _("Operator"),
        _("Status"),
        _("Why it waits"),
        *map(with_zone, (_("Assigned"), _("Taken"), _("Resolved"))),
        pgettext("of a client", "Name"),
        _("Phone"),
        _("E-mail"),
        _("Message"),
    ]
    active = timezone.get_current_timezone()
    related = contacts.select_related("source", "operator", "lead").prefetch_related("lead__identities")
    for some in read_in_slices(related, "message"):
        with timezone.override(active):  # rows may be made after the request, in whatever thread sends the answer
            rows = [contact_row(contact) for contact in some]
        yield from rows


def with_zone(title: str) -> str:
    return f"{title} ({timezone.get_current_timezone_name()})"


def contact_row(contact: Contact) -> Sequence[Cell]:
    return [
        contact.pk,
        local(contact.created_at),
        contact.source.name,
        contact.operator.name if contact.operator else None,
        str(contact.status.label),
        str(explanation.reason_text(contact.waiting_reason)) if contact.waiting_reason else None,
        local(contact.assigned_at),
        local(contact.accepted_at),
        local(contact.resolved_at),
        contact.lead.name,
        contact.lead.phone,
        contact.lead.email,
        contact.message,
    ]


def local(at: datetime | None) -> datetime | None:
    return timezone.localtime(at) if at else None
