"""Sends notices to a chat in Telegram, and edits their messages when the contact has changed."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from notifications.messenger import telegram
from notifications.messenger.channels import switch_off_channel
from notifications.messenger.leases import (
    fail_notice,
    finish_notice,
    postpone_notice,
    release_notices,
    skip_notice,
    try_again,
)
from notifications.messenger.messages import Content
from notifications.messenger.models import Channel, Notice
from notifications.messenger.pace import Pace
from notifications.messenger.quiet_hours import quiet_until
from notifications.messenger.state import pause_bot
from notifications.messenger.telegram import TelegramError
from notifications.messenger.truth import content_of, is_still_true, load_contact


def send_one(channel: Channel, notices: list[Notice], pace: Pace) -> None:
    """Sends or edits the first message that has to be, and releases the rest: a chat gets one a second."""
    quiet = quiet_until(timezone.now(), channel.quiet_from, channel.quiet_to)
    for place, notice in enumerate(notices):
        contact = load_contact(notice.contact_id) if notice.contact_id else None
        if notice.message_id is None and not is_still_true(notice, channel, contact):
            skip_notice(notice)
        elif notice.message_id is None and quiet:
            postpone_notice(notice, quiet)
        else:
            content = content_of(notice, channel, contact)
            if notice.message_id is not None and content.digest == notice.shown:
                finish_notice(notice)
                continue
            release_notices(notices[place + 1 :])
            pace.wait_for_turn(channel.address)
            show_in_chat(channel, notice, content)
            return


def show_in_chat(channel: Channel, notice: Notice, content: Content) -> None:
    try:
        message_id = notice.message_id
        if message_id is None:
            message_id = call_with(content, "sendMessage", notice, channel)["message_id"]
        else:
            edit_message(channel, message_id, content, notice.contact_id)
    except TelegramError as error:
        note_failure(channel, notice, error)
        return
    sent_at = notice.sent_at or timezone.now()
    finish_notice(
        notice, state=Notice.State.SENT, message_id=message_id, shown=content.digest, sent_at=sent_at, attempts=0
    )


def call_with(content: Content, method: str, notice: Notice, channel: Channel) -> Any:
    return telegram.call(method, chat_id=int(channel.address), **parameters_of(content, notice.contact_id))


def edit_message(channel: Channel, message_id: int, content: Content, contact_id: int | None) -> None:
    """Makes the message say this. Raises TelegramError, except if it says this already."""
    try:
        telegram.call(
            "editMessageText",
            chat_id=int(channel.address),
            message_id=message_id,
            **parameters_of(content, contact_id),
        )
    except TelegramError as error:
        if not (error.code == 400 and telegram.NOT_MODIFIED in error.description):
            raise


def parameters_of(content: Content, contact_id: int | None) -> dict[str, Any]:
    keyboard = [
        [{"text": label, "callback_data": f"{verb}:{contact_id}"} for verb, label in row] for row in content.buttons
    ]
    return {
        "text": content.html,
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": keyboard},
    }


def note_failure(channel: Channel, notice: Notice, error: TelegramError) -> None:
    """A blocked chat is switched off; what Telegram asks to send later is sent later; what it refuses has failed."""
    if error.retry_after is not None:
        pause_bot(error.retry_after)
        postpone_notice(notice, timezone.now() + timedelta(seconds=error.retry_after))
    elif error.is_gone:
        fail_notice(notice, str(error))
        switch_off_channel(channel_id=channel.pk, address=channel.address, reason=str(error))
    elif error.is_final:
        fail_notice(notice, str(error))
    else:
        try_again(notice, str(error))
