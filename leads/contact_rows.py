"""Contacts as rows of a table, one each, with the data of their clients."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.db import replica
from core.db.long_texts import key_slices, read_slice
from core.spreadsheets import Cell
from leads.models import EXTENSION, Identity
from routing import explanation
from routing.models import Contact, ContactQuerySet

COLUMNS = (
    *("created_at", "assigned_at", "accepted_at", "resolved_at", "waiting_reason", "message"),
    *("source__name", "operator__name", "lead__name"),
)


def contacts_of(
    *, since: datetime, until: datetime, source_id: int | None = None, operator_id: int | None = None
) -> ContactQuerySet:
    """Registered in this period; of this source, and with this operator now or at the end."""
    found = Contact.objects.filter(created_at__gte=since, created_at__lt=until)
    found = found.filter(source=source_id) if source_id else found
    return found.filter(operator=operator_id) if operator_id else found


def contact_table(contacts: ContactQuerySet) -> Iterator[Sequence[Cell]]:
    """With headings, oldest first, a bounded number of rows at a time, which may come from a replica. Moments are those
    of the active time zone."""
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
    zone = timezone.get_current_timezone()
    found = contacts.select_related("source", "operator", "lead").only(*COLUMNS)
    for pks in replica.read(partial(key_slices, found, "message")):
        yield from replica.read(partial(contact_rows, found, pks, zone))


def contact_rows(contacts: ContactQuerySet, pks: list[int], zone: tzinfo) -> list[Sequence[Cell]]:
    some = read_slice(contacts, pks)
    reached = first_identities({contact.lead_id for contact in some})
    return [contact_row(contact, reached, zone) for contact in some]


def contact_row(contact: Contact, reached: Mapping[tuple[int, str], str], zone: tzinfo) -> Sequence[Cell]:
    phone = reached.get((contact.lead_id, Identity.Kind.PHONE), "")
    return [
        contact.pk,
        contact.created_at.astimezone(zone),
        contact.source.name,
        contact.operator.name if contact.operator else None,
        str(contact.status.label),
        explanation.reason_text(contact.waiting_reason) if contact.waiting_reason else None,
        *(at and at.astimezone(zone) for at in (contact.assigned_at, contact.accepted_at, contact.resolved_at)),
        contact.lead.name,
        phone.partition(EXTENSION)[0] or None,
        reached.get((contact.lead_id, Identity.Kind.EMAIL)),
        contact.message,
    ]


def first_identities(lead_ids: set[int]) -> dict[tuple[int, str], str]:
    """By lead and kind, the value that `Lead.first` gives."""
    rows = Identity.objects.filter(lead__in=lead_ids).order_by("-rank", "-pk")
    return {(lead_id, kind): value for lead_id, kind, value in rows.values_list("lead", "kind", "value")}


def with_zone(title: str) -> str:
    return f"{title} ({timezone.get_current_timezone_name()})"
