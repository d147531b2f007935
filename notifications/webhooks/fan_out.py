"""Turns events into deliveries: once for each webhook that asked for the event, whatever happens in between."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from core import retry
from notifications import feed
from notifications.models import Delivery, FeedPosition, Replay, Webhook

POSITION = "webhooks"
PAGE = 200  # events in one transaction


def run() -> str:
    """One page of new events, and one of each replay. Returns what was done, empty if there was nothing to do."""
    return " ".join(filter(None, [fan_out_page(), *(replay_page(pk) for pk in pending_replays())]))


def fan_out_page() -> str:
    """Creates the deliveries of the next events and moves the position, in one transaction.

    The page is read before the row of the position is locked. If another worker has moved it meanwhile, this one
    starts again from there.
    """
    if not Webhook.objects.active().exists():
        return ""
    before = FeedPosition.objects.get(name=POSITION).cursor
    events, cursor = feed.read_feed(after=feed.Cursor.parse(before), limit=PAGE)
    if str(cursor) == before:
        return ""
    for attempt in retry.attempts():
        with attempt:
            position = FeedPosition.objects.select_for_update(no_key=True).get(name=POSITION)
            if position.cursor == before:
                for webhook in lock_webhooks() if events else []:
                    known = (webhook.after_event, webhook.after_change)
                    new = [event for event in events if not feed.is_among(event, known)]
                    create_deliveries(webhook, new)
                position.cursor = str(cursor)
                position.save(update_fields=["cursor"])
    return f"Read {len(events)} events." if events else ""


def lock_webhooks() -> list[Webhook]:
    """Keeps them from being deleted while deliveries are added."""
    return list(Webhook.objects.active().select_for_update(no_key=True).order_by("pk"))


def create_deliveries(webhook: Webhook, events: Iterable[feed.Event]) -> None:
    """Ignores those that exist, from a replay."""
    now = timezone.now()
    wanted = [
        Delivery(
            webhook=webhook,
            event_id=event.id,
            type=event.type,
            contact_id=event.contact_id,
            next_at=now,
            planned_at=now,
        )
        for event in events
        if is_wanted(webhook, event)
    ]
    Delivery.objects.bulk_create(wanted, ignore_conflicts=True)


def is_wanted(webhook: Webhook, event: feed.Event) -> bool:
    """A webhook of one source gets events of its contacts and no others."""
    is_of_source = webhook.source_id is None or (event.contact_id is not None and event.source_id == webhook.source_id)
    return is_of_source and (webhook.types is None or event.type in webhook.types)


def start_reading() -> None:
    """For the first webhook that is active: the position moves to the present, because nobody has read on.

    In the caller's transaction, which activates the webhook.
    """
    if not Webhook.objects.active().exists():
        FeedPosition.objects.update_or_create(name=POSITION, defaults={"cursor": str(feed.latest_cursor())})


def pending_replays() -> list[int]:
    return list(Replay.objects.filter(webhook__is_active=True).order_by("pk").values_list("pk", flat=True))


def replay_page(replay_id: int) -> str:
    """Makes the next events of a replay due again. Deletes it at its end."""
    replay = Replay.objects.filter(pk=replay_id).first()
    if replay is None:
        return ""
    events, cursor = feed.read_feed(after=feed.Cursor.parse(replay.cursor), limit=PAGE)
    is_over = str(cursor) == replay.cursor
    for attempt in retry.attempts():
        with attempt:
            webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=replay.webhook_id).first()
            unchanged = Replay.objects.filter(pk=replay_id, cursor=replay.cursor)
            if webhook is None:
                pass  # deleted, and its replays with it
            elif is_over:
                unchanged.delete()
            elif unchanged.update(cursor=str(cursor)):
                again = [event for event in events if is_wanted_again(event, replay)]
                create_deliveries(webhook, again)
                repeat_deliveries(webhook, [event.id for event in again])
    return "" if is_over else f"Repeated {len(events)} events."


def is_wanted_again(event: feed.Event, replay: Replay) -> bool:
    """Whether a replay has to send it. What is newer than the replay is new to the webhook anyway."""
    is_known = feed.is_among(event, (replay.until_event, replay.until_change))
    return is_known and (replay.since is None or event.at >= replay.since)


def repeat_deliveries(webhook: Webhook, event_ids: Sequence[int]) -> int:
    """Makes deliveries that were delivered or failed due again. Returns how many. They are sent paced."""
    now = timezone.now()
    ended = webhook.deliveries.filter(event_id__in=event_ids, ended_at__isnull=False)
    repeated = ended.update(
        ended_at=None, delivered_at=None, attempts=0, next_at=now, planned_at=now, leased_until=None
    )
    if webhook.catching_up_since is None:
        webhook.catching_up_since = now
        webhook.save(update_fields=["catching_up_since"])
    return repeated
