"""The columns of the list of contacts."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import checkbox
from unfold.decorators import display

from core.admin import formatting
from core.admin.verbs import VerbAdmin
from leads.admin import lead_formatting
from routing import explanation
from routing.admin.contact_tabs import OVERDUE, UNTAKEN
from routing.models import Contact

COLOURS = {
    Contact.Status.WAITING.value: "warning",
    UNTAKEN: "info",
    OVERDUE: "danger",
    Contact.Status.ASSIGNED.value: "primary",
    Contact.Status.RESOLVED.value: "success",
}
SAME = timedelta(minutes=1)  # it has waited ever since it exists


def status_text(contact: Contact) -> str:
    if contact.is_untaken:
        return explanation.due_text(contact) or gettext("not taken yet")
    return gettext("taken") if contact.status == Contact.Status.ASSIGNED else str(contact.status.label)


def reason_text(contact: Contact) -> str:
    """Why it waits; outside opening hours with the moment when they begin."""
    words, opens_at = contact.get_waiting_reason_display(), contact.source.opens_at
    if contact.waiting_reason != Contact.Waiting.CLOSED_HOURS or not opens_at:
        return words or formatting.NOTHING
    moment = formatting.format_datetime(opens_at)
    return gettext("%(reason)s, until %(moment)s") % {"reason": words, "moment": moment}


class ContactColumns(VerbAdmin):
    def action_checkbox(self, contact: Contact) -> SafeString:
        """With the operator whom the user sees there: a verb refuses if somebody else has the contact by then."""
        box = checkbox.render(ACTION_CHECKBOX_NAME, str(contact.pk), {"aria-label": str(contact)})
        holder = f"{contact.pk}:{contact.operator_id or ''}"
        return format_html('{}<input type="hidden" name="holder" value="{}">', box, holder)

    @display(description=_("number"))
    def number(self, contact: Contact) -> str:
        return str(contact.pk)

    @display(description=_("received"))
    def received(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.created_at)

    @display(description=_("lead"), header=True)
    def person(self, contact: Contact) -> tuple[str, str]:
        return str(contact.lead), lead_formatting.reached_by(contact.lead)

    @display(description=_("waits for"))
    def waits(self, contact: Any) -> SafeString | str:
        """Since it joined the queue last; below it since when it exists, if that is longer."""
        waits_since = getattr(contact, "waits_since", None)
        if waits_since is None:
            return formatting.NOTHING
        waits = formatting.age(waits_since)
        if waits_since - contact.created_at < SAME:
            return waits
        exists = format_html(gettext("received {} ago"), formatting.age(contact.created_at))
        return format_html('{}<div class="second-line">{}</div>', waits, exists)

    @display(description=_("place in the queue"))
    def position(self, contact: Contact) -> str:
        return str(contact.queue_position or formatting.NOTHING)

    @display(description=_("reason"))
    def reason(self, contact: Contact) -> str:
        return reason_text(contact)

    @display(description=_("status"), label=COLOURS)
    def status(self, contact: Contact) -> tuple[str, str]:
        colour = (OVERDUE if contact.is_overdue else UNTAKEN) if contact.is_untaken else contact.status.value
        return colour, status_text(contact)

    @display(description=_("operator"))
    def handler(self, contact: Contact) -> str:
        """The operator, or the reason for waiting."""
        return contact.operator.name if contact.operator else contact.get_waiting_reason_display() or formatting.NOTHING

    @display(description=_("has it for"))
    def since(self, contact: Contact) -> SafeString | str:
        return formatting.age(contact.assigned_at) if contact.assigned_at else formatting.NOTHING

    @display(description=_("resolved at"))
    def closed(self, contact: Contact) -> str:
        return formatting.format_datetime(contact.resolved_at) if contact.resolved_at else formatting.NOTHING

    @display(description=_("message"))
    def excerpt(self, contact: Contact) -> str:
        return formatting.excerpt(contact.beginning)  # type: ignore[attr-defined] # an annotation
