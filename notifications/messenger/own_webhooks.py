"""Sends notices to the webhook of an operator or a supervisor, signed and refused as the webhooks of programs are."""

import json
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from notifications import feed
from notifications.messenger.channels import switch_off_channel
from notifications.messenger.leases import (
    fail_notice,
    finish_notice,
    postpone_notice,
    skip_notice,
    try_again,
    while_leased,
)
from notifications.messenger.models import LEASE, Channel, Notice
from notifications.messenger.quiet_hours import quiet_until
from notifications.messenger.truth import content_of, is_still_true
from notifications.webhooks import sending
from notifications.webhooks.signing import sign_body

GONE = 410
ENOUGH = LEASE.total_seconds() - 2 * (sending.CONNECT_TIMEOUT + sending.TIMEOUT)  # seconds


def send_each(channel: Channel, notices: list[Notice]) -> None:
    """Sends these notices in their order, to a slow address the rest later."""
    for notice in while_leased(notices, seconds=ENOUGH):
        quiet = quiet_until(timezone.now(), channel.quiet_from, channel.quiet_to)
        body = None if quiet else body_of(notice, channel)
        if quiet:
            postpone_notice(notice, quiet)
        elif body is None:
            skip_notice(notice)
        else:
            send_body(channel, notice, body)


def body_of(notice: Notice, channel: Channel) -> dict[str, Any] | None:
    """The body in the form of Standard Webhooks; None if it is no longer true, or the event is no longer kept."""
    if not is_still_true(notice, channel):
        return None
    if notice.alarm is not None:
        text = content_of(notice, channel).title
        details = {"kind": notice.alarm.kind, "subject": notice.alarm.subject, "text": text}
        return envelope(notice.type, notice.created_at, details)
    event = feed.find_events([notice.event_id or 0]).get(notice.event_id or 0)
    return envelope(event.type, event.at, event.data) if event else None


def envelope(type: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
    moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"type": type, "timestamp": moment, "data": data}


def send_body(channel: Channel, notice: Notice, body: dict[str, Any]) -> None:
    text = json.dumps(body, ensure_ascii=False)
    headers = sign_body(text, message_id=f"ntc_{notice.pk}", at=timezone.now(), keys=[channel.secret])
    answer = sending.post(channel.address, body=text.encode(), headers={"Content-Type": "application/json", **headers})
    if answer.error is None:
        finish_notice(notice, state=Notice.State.SENT, sent_at=timezone.now())
        return
    error = f"{answer.status or ''} {answer.error.value}".strip()
    if answer.status == GONE:
        fail_notice(notice, error)
        switch_off_channel(channel_id=channel.pk, address=channel.address, reason=error)
    else:
        try_again(notice, error)
