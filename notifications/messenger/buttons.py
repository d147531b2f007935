"""Buttons below messages in Telegram: each calls the same function as the page and the API."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Conflict, Refusal
from core.ids import is_id
from notifications.messenger import telegram
from notifications.messenger.channels import channel_of_chat
from notifications.messenger.messages import CANNOT, DONE, PAUSE, PAUSE_MINUTES, TAKE, contact_content, where_line
from notifications.messenger.models import Channel, Notice
from notifications.messenger.telegram import TelegramError
from notifications.messenger.telegram_messages import edit_message
from notifications.messenger.truth import load_contact
from operators.models import Operator
from routing import duty_edges, lifecycle, taking

LONGEST_ANSWER = 200  # characters that Telegram shows


def handle_press(query: dict[str, Any]) -> None:
    """Does what the button says, if it was pressed by the operator whose chat it is, and says what has happened."""
    sender, message = query.get("from") or {}, query.get("message") or {}
    chat_id = (message.get("chat") or {}).get("id")
    verb, _colon, number = str(query.get("data") or "").partition(":")
    # In a private chat both ids are that of the person; a custom client may send anything.
    channel = channel_of_chat(sender["id"]) if sender.get("id") == chat_id and isinstance(chat_id, int) else None
    language = channel.language if channel and channel.language else settings.LANGUAGE_CODE
    with translation.override(language):
        contact_id = int(number) if is_id(number) else 0
        if channel is None or not was_told(channel, contact_id):
            answer_press(query, _("This button is not for you."))
            return
        try:
            said = do_verb(verb, channel, contact_id)
        except Refusal as refusal:
            said = refusal_words(refusal, contact_id)
        answer_press(query, said)
        mend_message(channel, message.get("message_id"), contact_id)


def was_told(channel: Channel, contact_id: int) -> bool:
    """Whether the channel has got a message about this contact, so that nobody learns of others by trying numbers."""
    return Notice.objects.filter(channel=channel, contact=contact_id).exists()


def do_verb(verb: str, channel: Channel, contact_id: int) -> str:
    """Returns what to say. Raises Refusal."""
    operator_id, by = channel.operator_id or 0, acting_name(channel)

    def take() -> str:
        taking.accept_contact(contact_id=contact_id, by=by, expected_operator_id=operator_id)
        return _("You have taken it.")

    def decline() -> str:
        contact = taking.decline_contact(contact_id=contact_id, by=by, expected_operator_id=operator_id)
        return where_line(contact)

    def resolve() -> str:
        lifecycle.resolve_contact(contact_id=contact_id, by=by, expected_operator_id=operator_id)
        return _("Done.")

    def pause() -> str:
        if Operator.objects.current().filter(pk=operator_id, is_active=False, paused_until=None).exists():
            return _("You are off duty already.")
        author = Author(by, Via.MESSENGER, "pause")
        duty_edges.pause_operator(operator_id=operator_id, minutes=PAUSE_MINUTES, author=author)
        return _("You are off duty for %(minutes)s minutes.") % {"minutes": PAUSE_MINUTES}

    verbs: dict[str, Callable[[], str]] = {TAKE: take, CANNOT: decline, DONE: resolve, PAUSE: pause}
    return verbs[verb]() if verb in verbs else _("This button is not known any more.")


def acting_name(channel: Channel) -> str:
    """The operator's name for the history: that of the account if there is one."""
    user = channel.operator.user if channel.operator else None
    return f"user {user.get_username()}" if user else f"operator {channel.operator}"


def refusal_words(refusal: Refusal, contact_id: int) -> str:
    if isinstance(refusal, Conflict) and refusal.code in ("taken_away", "waiting", "resolved"):
        return where_line(load_contact(contact_id))
    return refusal.detail


def answer_press(query: dict[str, Any], words: str) -> None:
    """An answer that comes too late is refused by Telegram, and nobody waits for it."""
    try:
        telegram.call("answerCallbackQuery", callback_query_id=query.get("id"), text=words[:LONGEST_ANSWER])
    except TelegramError as error:
        if not error.is_final:
            raise


def mend_message(channel: Channel, message_id: object, contact_id: int) -> None:
    """Edits a message that is not known, because Telegram's answer to it was lost. Known ones are edited by the
    worker."""
    if not isinstance(message_id, int) or Notice.objects.filter(channel=channel, message_id=message_id).exists():
        return
    content = contact_content(load_contact(contact_id), channel.operator_id or 0)
    try:
        edit_message(channel, message_id, content, contact_id)
    except TelegramError as error:
        if not error.is_final:
            raise
