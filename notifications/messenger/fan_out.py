"""Makes notices of events: what each channel is to be told. Each event is read once, by whichever worker is first."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils import timezone

from core import retry
from notifications import feed
from notifications.feed import Event
from notifications.messenger.models import Channel, Kind, MessengerState, Notice
from notifications.messenger.state import lock_state, read_state
from notifications.webhooks import forgetting
from routing.models import Contact

AT_ONCE = 500  # events in one transaction
NEW_CONTACT = "contact.assigned"


def fan_out_notices() -> str:
    """Reads the next events; stores the notices that follow from them together with the new place in the feed."""
    state = read_state()
    # Looks without a transaction first, because on SQLite each one makes all other writers wait.
    if state.cursor and feed.read_feed(after=feed.Cursor.parse(state.cursor), limit=1)[1] == feed.Cursor.parse(
        state.cursor
    ):
        return ""
    count = 0
    for attempt in retry.attempts():
        with attempt:
            locked = lock_state()
            if locked is not None:
                after = feed.Cursor.parse(locked.cursor) if locked.cursor else feed.latest_cursor()
                events, cursor = feed.read_feed(after=after, limit=AT_ONCE)
                count = store_notices(events)
                wake_messages(events)
                MessengerState.objects.filter(pk=locked.pk).update(cursor=str(cursor))
    return f"Notices made: {count}." if count else ""


def store_notices(events: Sequence[Event]) -> int:
    """One notice for each channel that is for this type of event and of an operator concerned."""
    concerned = {event.id: operators_concerned(event) for event in events if event.contact_id}
    channels = channels_of(set().union(*concerned.values())) if concerned else {}
    notices = [
        Notice(channel=channel, event_id=event.id, type=event.type, contact_id=event.contact_id, due_at=timezone.now())
        for event in events
        for operator_id in concerned.get(event.id, ())
        for channel in channels.get(operator_id, ())
        if event.type in channel.wanted_types
    ]
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return len(notices)


def operators_concerned(event: Event) -> set[int]:
    """Who has the contact, and who had it; a new contact concerns only who has it."""
    ids = {event.operator_id} if event.type == NEW_CONTACT else {event.operator_id, event.from_operator_id}
    return {operator_id for operator_id in ids if operator_id is not None}


def channels_of(operator_ids: Iterable[int]) -> dict[int, list[Channel]]:
    found = defaultdict(list)
    for channel in Channel.objects.working().filter(operator__in=list(operator_ids)):
        found[channel.operator_id or 0].append(channel)
    return found


def wake_messages(events: Sequence[Event]) -> None:
    """Marks messages in Telegram that may say what is no longer true, to be edited.

    Also those that are being sent right now: they may have been made before the change. Of erased persons also the
    answers of webhooks are deleted. The time for taking stands still while an operator is off duty.
    """
    in_telegram = Q(message_id__isnull=False) | Q(leased_until__isnull=False)
    messages = Notice.objects.filter(in_telegram, type=NEW_CONTACT, channel__kind=Kind.TELEGRAM)
    if contact_ids := {event.contact_id for event in events if event.contact_id}:
        messages.filter(contact__in=contact_ids).update(due_at=timezone.now())
    if operator_ids := {event.operator_id for event in events if "is_active" in event.data.get("after", {})}:
        untaken = Contact.objects.untaken().filter(Q(due_at__isnull=False) | Q(due_left__isnull=False))
        messages.filter(contact__in=untaken.filter(operator__in=operator_ids)).update(due_at=timezone.now())
    if lead_ids := {event.data["lead_id"] for event in events if event.type == "lead.erased"}:
        messages.filter(contact__lead__in=lead_ids).update(due_at=timezone.now())
        forgetting.forget_answers(lead_ids)
