"""What people do in Telegram: open the link, press buttons. Read by long polling, or received by the webhook."""

import logging
import time
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core import retry
from core.db.faults import fault_of
from core.errors import Conflict
from notifications.messenger import buttons, linking, state, telegram
from notifications.messenger.models import TelegramUpdate
from notifications.messenger.telegram import LONG_POLL, TelegramError

log = logging.getLogger(__name__)

KINDS = ["message", "callback_query"]
LONGEST_TOKEN = 64
AT_ONCE = 100
PATIENCE = 5.0  # seconds after Telegram has refused to give updates

next_call_at = [0.0]  # on the monotonic clock: not earlier after a failure
registered: set[str] = set()  # where this process has told Telegram to send updates: the webhook's address, or ""


def read_updates() -> str:
    """Reads what people have done and does it, if this worker serves the bot. Waits up to LONG_POLL seconds for it."""
    if time.monotonic() < next_call_at[0] or not state.hold_bot():
        return ""
    try:
        choose_way(settings.TELEGRAM_WEBHOOK_URL)
        count = handle_received() if settings.TELEGRAM_WEBHOOK_URL else handle_polled()
    except TelegramError as error:
        log.warning("Telegram gives no updates: %s", error)
        next_call_at[0] = time.monotonic() + (error.retry_after or PATIENCE)
        return ""
    return f"Updates of Telegram: {count}." if count else ""


def choose_way(url: str) -> None:
    """Tells Telegram once how updates are fetched: it gives none by getUpdates while it knows a webhook."""
    if url in registered:
        return
    state.bot_username()
    if url:
        telegram.call("setWebhook", url=url, secret_token=settings.TELEGRAM_WEBHOOK_SECRET, allowed_updates=KINDS)
    else:
        telegram.call("deleteWebhook")
    registered.clear()
    registered.add(url)


def handle_polled() -> int:
    offset = state.read_state().offset
    updates = telegram.call(
        "getUpdates", wait=LONG_POLL + telegram.ANSWER, offset=offset, timeout=LONG_POLL, allowed_updates=KINDS
    )
    for update in updates:
        handle_safely(update)
        state.store_offset(update["update_id"] + 1)
    return len(updates)


def handle_received() -> int:
    received = list(TelegramUpdate.objects.order_by("pk")[:AT_ONCE])
    for update in received:
        handle_safely(update.body)
        for attempt in retry.attempts():
            with attempt:
                update_id = update.pk
                TelegramUpdate.objects.filter(pk=update_id).delete()
    return len(received)


def store_update(body: dict[str, Any]) -> None:
    """Keeps an update from the webhook until the worker handles it; one that comes twice is kept once."""
    for attempt in retry.attempts():
        with attempt:
            TelegramUpdate.objects.bulk_create([TelegramUpdate(pk=body["update_id"], body=body)], ignore_conflicts=True)


def handle_safely(update: dict[str, Any]) -> None:
    """An update that cannot be handled is logged and left behind, else it would hold up all others. While the database
    is away it stays and is tried again."""
    try:
        handle_update(update)
    except TelegramError as error:
        log.warning("An update was handled, but Telegram did not take the answer: %s", error)
    except Exception as error:
        if fault_of(error):
            raise
        log.exception("An update of Telegram could not be handled")


def handle_update(update: dict[str, Any]) -> None:
    message, query = update.get("message"), update.get("callback_query")
    if isinstance(query, dict):
        buttons.handle_press(query)
    elif isinstance(message, dict) and str(message.get("text") or "").startswith("/start"):
        handle_start(message)


def handle_start(message: dict[str, Any]) -> None:
    """The person has opened a link, or just the bot."""
    chat, sender = message.get("chat") or {}, message.get("from") or {}
    spoken = str(sender.get("language_code") or "")[:2]
    language = spoken if spoken in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with translation.override(language):
        reply = answer_start(message, chat, language)
        telegram.call("sendMessage", chat_id=chat.get("id"), text=reply)


def answer_start(message: dict[str, Any], chat: dict[str, Any], language: str) -> str:
    token = str(message["text"])[len("/start") :].strip()
    if chat.get("type") != "private":
        return _("Please open the link in a private chat with the bot: in a group, everybody could act as you.")
    if not token:
        return _("Please ask a supervisor for a link: this chat is not linked by writing to the bot alone.")
    channel = None
    try:
        if len(token) <= LONGEST_TOKEN:
            channel = linking.redeem_token(token=token, chat_id=int(chat["id"]), language=language)
    except Conflict as refusal:
        return refusal.detail
    if channel is None:
        return _("This link is not valid any more. Please ask for a new one.")
    return _("Linked: messages for %(name)s come here now.") % {"name": channel.owner}
