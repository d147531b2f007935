"""The work of the worker, done round by round, and the people who get messages."""

import time

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from core.changes.models import Change
from notifications import windows
from notifications.messenger import fan_out, state, updates
from notifications.messenger.models import Channel, Notice
from notifications.messenger.sending import Senders
from routing.models import ContactEvent


class Courier:
    """Runs the real functions of the worker's loops."""

    def __init__(self, server=None):
        self.server = server
        self.senders = Senders()
        fan_out.fan_out_notices()  # begins to read the feed from now on

    def deliver(self):
        """Makes notices of all events, and sends what is due until nothing is."""
        self.notice()
        give_up_at = time.monotonic() + 30
        while Notice.objects.due().exists():
            assert time.monotonic() < give_up_at, list(Notice.objects.due().values())
            self.senders.send_due()
            self.senders.wait()
            if state.seconds_paused(state.read_state()):
                return

    def notice(self):
        """Makes notices of all events."""
        wait_until_settled()
        before, place = None, state.read_state().cursor
        while place != before:  # a round may read events of which no notice is made
            fan_out.fan_out_notices()
            before, place = place, state.read_state().cursor

    def deliver_now(self):
        """The same, without waiting for the next attempt of what has failed."""
        Notice.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        self.deliver()

    def close(self):
        self.senders.wait()
        self.senders.finish()


def wait_until_reading():
    """A worker in another thread or process reads the feed from where it was when it first looked."""
    give_up_at = time.monotonic() + 60
    while not state.read_state().cursor:
        assert time.monotonic() < give_up_at, "No worker has begun to read."
        time.sleep(0.01)


def wait_until_settled():
    """The feed waits for transactions that were under way, such as those of threads that have just ended."""
    if connection.vendor != "postgresql":
        return
    newest = max(model.objects.aggregate(last=Max("transaction"))["last"] or 0 for model in (ContactEvent, Change))
    give_up_at = time.monotonic() + 60
    while windows.end_of_settled() <= newest:
        assert time.monotonic() < give_up_at, "A transaction stays open."
        time.sleep(0.01)


def link(server, operator, chat_id, **fields):
    """The operator's chat with the bot."""
    server.chats.setdefault(chat_id, {})
    return Channel.objects.create(operator=operator, kind="telegram", address=str(chat_id), **fields)


def last_message(server, chat_id):
    return server.messages(chat_id)[-1]


def labels(message):
    return [button["text"] for row in message["reply_markup"]["inline_keyboard"] for button in row]


def press(server, chat_id, label, **fields):
    """Presses this button of the last message, as the worker handles it; returns what Telegram shows the person."""
    message = last_message(server, chat_id)
    [data] = [
        button["callback_data"]
        for row in message["reply_markup"]["inline_keyboard"]
        for button in row
        if button["text"] == label
    ]
    number = next(key for key, one in server.chats[chat_id].items() if one is message)
    query = server.press(chat_id, number, data, **fields)
    read(server)
    return server.answers[query]["text"]


def read(server):
    """The worker handles everything that people have done."""
    while state.read_state().offset <= server.newest_update():
        updates.read_updates()
