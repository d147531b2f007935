"""The one row that the workers share, and the lease on the bot."""

import uuid
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from core import retry
from notifications.messenger import telegram
from notifications.messenger.models import MessengerState

HOLD = timedelta(seconds=15)

PROCESS = uuid.uuid4().hex  # names this process in the lease


def lock_state() -> MessengerState | None:
    """The row, locked until the caller's transaction ends; None while another worker has it locked."""
    MessengerState.objects.bulk_create([MessengerState(pk=1)], ignore_conflicts=True)
    return MessengerState.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=1).first()


def read_state() -> MessengerState:
    return MessengerState.objects.filter(pk=1).first() or MessengerState(pk=1)


def hold_bot() -> bool:
    """Takes the lease on the bot or renews it. Returns whether this process has it.

    A lease of a killed process runs out after HOLD; so does one from a future that a clock set back has left behind.
    """
    if not telegram.is_configured():
        return False
    now = timezone.now()
    # Renewed when a third of the time is over, because every loop asks several times a second.
    is_fresh = Q(holder=PROCESS, held_until__gt=now + HOLD * 2 / 3, held_until__lte=now + HOLD)
    if MessengerState.objects.filter(is_fresh).exists():
        return True
    free = Q(holder=PROCESS) | Q(held_until=None) | Q(held_until__lte=now) | Q(held_until__gt=now + HOLD * 2)
    for attempt in retry.attempts():
        with attempt:
            MessengerState.objects.bulk_create([MessengerState(pk=1)], ignore_conflicts=True)
            has = MessengerState.objects.filter(free).update(holder=PROCESS, held_until=now + HOLD)
    return bool(has)


def release_bot() -> str:
    """Gives the lease back, so that another worker need not wait until it runs out."""
    if MessengerState.objects.filter(holder=PROCESS).exists():
        for attempt in retry.attempts():
            with attempt:
                MessengerState.objects.filter(holder=PROCESS).update(holder="", held_until=None)
    return ""


def pause_bot(seconds: float) -> None:
    """Sends nothing to Telegram for so long, as Telegram has asked."""
    until = timezone.now() + timedelta(seconds=seconds)
    for attempt in retry.attempts():
        with attempt:
            later = Q(paused_until=None) | Q(paused_until__lt=until)
            MessengerState.objects.filter(later).update(paused_until=until)


def seconds_paused(state: MessengerState) -> float:
    """How long nothing may be sent yet; at most an hour, in case the clock was set back."""
    if state.paused_until is None:
        return 0
    return min(3600.0, max(0.0, (state.paused_until - timezone.now()).total_seconds()))


def store_offset(offset: int) -> None:
    """The next update to ask Telegram for."""
    for attempt in retry.attempts():
        with attempt:
            MessengerState.objects.filter(offset__lt=offset).update(offset=offset)


def bot_username() -> str:
    """The name of the bot without @, asked from Telegram once for each token. Raises TelegramError."""
    state, digest = read_state(), telegram.token_digest()
    if state.username and state.token_digest == digest:
        return state.username
    username = str(telegram.call("getMe")["username"])
    for attempt in retry.attempts():
        with attempt:
            MessengerState.objects.bulk_create([MessengerState(pk=1)], ignore_conflicts=True)
            # Updates of another bot have other numbers.
            MessengerState.objects.exclude(token_digest=digest).update(offset=0)
            MessengerState.objects.update(username=username, token_digest=digest)
    return username
