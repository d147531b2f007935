"""Renders deliveries as they are sent: from what is stored now, so that an erased person is in no body."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.moments import format_utc
from notifications import feed
from notifications.models import Delivery, Webhook


def render_bodies(deliveries: Sequence[Delivery], webhooks: Mapping[int, Webhook]) -> dict[int, str]:
    """The body of each delivery by its key. Those whose event is no longer kept are left out."""
    events = feed.find_events({delivery.event_id for delivery in deliveries})
    wanted = {one.event_id for one in deliveries if webhooks[one.webhook_id].with_message}
    with_message = {event.id: event for event in feed.add_messages(events[pk] for pk in wanted if pk in events)}
    bodies = {}
    for delivery in deliveries:
        chosen: Iterable[Mapping[int, feed.Event]] = (
            [with_message, events] if webhooks[delivery.webhook_id].with_message else [events]
        )
        event = next((known[delivery.event_id] for known in chosen if delivery.event_id in known), None)
        if event is not None:
            bodies[delivery.pk] = render_body(event.type, format_utc(event.at), event.data)
    return bodies


def render_body(type_: str, timestamp: str, data: Mapping[str, Any]) -> str:
    body = {"type": type_, "timestamp": timestamp, "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
