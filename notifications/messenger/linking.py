"""Links a chat in Telegram to an operator or a user, by a link that works once."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from core import retry
from core.changes.models import Via
from core.changes.recording import SERVICE, Author
from core.errors import Conflict
from notifications.messenger import telegram
from notifications.messenger.channels import (
    described_of,
    lock_operator,
    raise_if_chat_taken,
    record_channels,
    require_operator,
)
from notifications.messenger.models import Channel, Kind, LinkToken
from notifications.messenger.state import bot_username
from notifications.messenger.telegram import TelegramError

VALID = timedelta(hours=24)


@dataclass(frozen=True)
class Link:
    """For the one answer that shows it."""

    url: str = field(repr=False)
    expires_at: datetime


@sensitive_variables("token")
def make_link(*, operator_id: int | None = None, user_id: int | None = None, author: Author = SERVICE) -> Link:
    """A link for this operator or user, who opens it in Telegram. Links made before for the same person end.

    Raises Unknown, or Conflict: `telegram_off` without a bot, `telegram_unreachable` if the bot's name is not known.
    """
    if operator_id:
        require_operator(operator_id)
    if not telegram.is_configured():
        raise Conflict("telegram_off", _("There is no bot: TELEGRAM_BOT_TOKEN is not set."))
    username, failure = "", ""
    try:
        username = bot_username()
    except TelegramError as error:
        failure = str(error)
    if failure:
        raise Conflict("telegram_unreachable", _("Telegram does not answer: %(error)s") % {"error": failure})
    token, expires_at = secrets.token_urlsafe(32), timezone.now() + VALID
    for attempt in retry.attempts():
        with attempt:
            if operator_id:
                lock_operator(operator_id)
            before = described_of(operator_id)
            channel = find_or_create_channel(operator_id, user_id)
            record_channels(operator_id, before, author)
            LinkToken.objects.filter(channel=channel).delete()
            LinkToken.objects.create(channel=channel, digest=digest_of(token), expires_at=expires_at)
    return Link(f"https://t.me/{username}?start={token}", expires_at)


def find_or_create_channel(operator_id: int | None, user_id: int | None) -> Channel:
    owned = Channel.objects.current().filter(operator=operator_id, user=user_id, kind=Kind.TELEGRAM)
    return owned.first() or Channel.objects.create(operator_id=operator_id, user_id=user_id, kind=Kind.TELEGRAM)


def redeem_token(*, token: str, chat_id: int, language: str) -> Channel | None:
    """Links this chat to whom the token is for, and switches the channel on; None if the token is not valid (any more).

    Raises Conflict `chat_taken` if the chat belongs to another operator; the token stays valid then.
    """
    for attempt in retry.attempts():
        with attempt:
            now = timezone.now()
            tokens = LinkToken.objects.filter(digest=digest_of(token), expires_at__gt=now, expires_at__lte=now + VALID)
            # Operators are locked before tokens, as where links are made.
            before = described_of(tokens.values_list("channel__operator", flat=True).first())
            found = tokens.select_related("channel").select_for_update(of=("self",)).first()
            channel = found.channel if found and not found.channel.removed_at else None
            if found and channel:
                if channel.operator_id:
                    raise_if_chat_taken(str(chat_id), channel.operator_id)
                channel.address, channel.is_active, channel.off_reason = str(chat_id), True, ""
                channel.language = channel.language or language
                channel.save(update_fields=["address", "is_active", "off_reason", "language", "updated_at"])
                record_channels(channel.operator_id, before, Author(f"operator {channel.owner}", Via.MESSENGER))
                found.delete()
    return channel


def digest_of(token: str) -> str:
    """What is random needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
