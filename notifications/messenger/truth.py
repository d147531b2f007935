"""Whether what a notice says is still true, and its text."""

from django.conf import settings
from django.utils import translation

from notifications.messenger.fan_out import NEW_CONTACT
from notifications.messenger.messages import Content, alarm_content, contact_content, event_content
from notifications.messenger.models import Channel, Notice
from notifications.messenger.weekly_report import WEEKLY, weekly_content
from routing.models import Contact

ALARM, ALARM_OVER = "alarm", "alarm.over"


def load_contact(contact_id: int) -> Contact:
    contacts = Contact.objects.select_related("source", "operator", "lead").prefetch_related("lead__identities")
    return contacts.get(pk=contact_id)


def content_of(notice: Notice, channel: Channel, contact: Contact | None = None) -> Content:
    """The text of the notice as things are now, in the language of the channel. `contact`: if it is loaded already."""
    with translation.override(channel.language or settings.LANGUAGE_CODE):
        if notice.alarm is not None:
            return alarm_content(notice.alarm, is_over=notice.type == ALARM_OVER)
        if notice.type == WEEKLY:
            return weekly_content(notice.event_id or 0)
        contact = contact or load_contact(notice.contact_id or 0)
        if notice.type == NEW_CONTACT:
            return contact_content(contact, channel.operator_id or 0)
        return event_content(notice, contact)


def is_still_true(notice: Notice, channel: Channel, contact: Contact | None = None) -> bool:
    """Whether an unsent notice is worth sending: the contact is still with this operator, the alarm lasts."""
    if notice.alarm is not None:
        return is_alarm_true(notice)
    if notice.type != NEW_CONTACT:
        return True
    contact = contact or load_contact(notice.contact_id or 0)
    is_theirs = contact.operator_id == channel.operator_id and not contact.is_resolved
    # Away and back again meanwhile: the later notice says it.
    later = Notice.objects.filter(channel=channel, contact=notice.contact_id, type=NEW_CONTACT, pk__gt=notice.pk)
    return is_theirs and not later.exists()


def is_alarm_true(notice: Notice) -> bool:
    """An alarm that was over before it was sent is not sent, and then its end is not either."""
    if notice.type == ALARM:
        return notice.alarm is not None and notice.alarm.over_at is None
    begun = Notice.objects.filter(channel=notice.channel_id, alarm=notice.alarm_id, type=ALARM)
    return begun.filter(state=Notice.State.SENT).exists()
