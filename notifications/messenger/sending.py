"""Sends what is due: a few threads for each kind of channel, so that no slow receiver delays another kind.

Several workers share the work. A notice is leased before it is sent, in a transaction of its own; when a worker is
killed between sending and noting it, the lease runs out and the message is sent again.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty, Queue

from django.db.models import Min

from core import periodic
from notifications.messenger import mail, own_webhooks, telegram_messages
from notifications.messenger.leases import claim_notices, correct_moments, finish_notice
from notifications.messenger.models import Channel, Kind, Notice
from notifications.messenger.pace import Pace
from notifications.messenger.state import hold_bot, read_state, seconds_paused

log = logging.getLogger(__name__)

THREADS = {Kind.TELEGRAM: 12, Kind.EMAIL: 4, Kind.WEBHOOK: 8}
CHANNELS_AT_ONCE = 500
CORRECT_EVERY = 10.0  # seconds
IDLE = 2.0  # seconds after which a thread closes its connection
STOPPING = 20.0  # seconds, longer than one call of any receiver takes


class Senders:
    """The threads of one process, and the channels that they are busy with."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue[Channel | None]] = {kind: Queue() for kind in THREADS}
        self.threads: list[threading.Thread] = []
        self.busy: set[int] = set()
        self.changed = threading.Condition()
        self.pace = Pace()
        self.corrected_at = 0.0

    def send_due(self) -> str:
        """Gives the channels that have something due to the threads; does not wait until it is sent."""
        if time.monotonic() - self.corrected_at >= CORRECT_EVERY:
            correct_moments()
            self.corrected_at = time.monotonic()
        due = Notice.objects.due().order_by().values_list("channel").annotate(first_at=Min("due_at"))
        with self.changed:
            idle = due.exclude(channel__in=self.busy)
        first = list(idle.order_by("first_at")[:CHANNELS_AT_ONCE])
        if not first:
            return ""
        serves_bot = hold_bot() and not seconds_paused(read_state())
        channels = Channel.objects.select_related("operator", "user").in_bulk([pk for pk, _ in first])
        started = sum(self.start(channels[pk], serves_bot) for pk, _ in first if pk in channels)
        return f"Channels served: {started}." if started else ""

    def start(self, channel: Channel, serves_bot: bool) -> bool:
        if channel.kind == Kind.TELEGRAM and not (serves_bot and self.pace.is_ready(channel.address)):
            return False
        with self.changed:
            if not self.threads:
                self.start_threads()
            self.busy.add(channel.pk)
        self.queues[channel.kind].put(channel)
        return True

    def start_threads(self) -> None:
        for kind, number in THREADS.items():
            run = partial(self.run, self.queues[kind])
            self.threads += [
                threading.Thread(target=run, name=f"send_{kind.value}", daemon=True) for _ in range(number)
            ]
        for thread in self.threads:
            thread.start()

    def run(self, queue: "Queue[Channel | None]") -> None:
        """The work of one thread. Its connection to the database is kept while there is something to do."""
        while True:
            try:
                channel = queue.get(timeout=IDLE)
            except Empty:
                periodic.drop_connections(log)
                continue
            if channel is None:
                break
            self.serve(channel)
        periodic.drop_connections(log)

    def serve(self, channel: Channel) -> None:
        try:
            serve_channel(channel, self.pace)
        except Exception:  # ends neither the thread nor the notices, which are tried again when their leases end
            log.exception("Channel %s was not served", channel.pk)
            periodic.drop_connections(log)
        finally:
            with self.changed:
                self.busy.discard(channel.pk)
                self.changed.notify_all()

    def wait(self) -> None:
        """Waits until everything that was started is done."""
        with self.changed:
            self.changed.wait_for(lambda: not self.busy)

    def finish(self) -> str:
        """Finishes what was started. The rest is sent by another worker, or after the next start."""
        for thread in self.threads:
            self.queues[thread.name.removeprefix("send_")].put(None)
        for thread in self.threads:
            thread.join(STOPPING)
        return ""


def serve_channel(channel: Channel, pace: Pace) -> None:
    """Sends what is due for this channel: to Telegram one message at most, else everything."""
    notices = claim_notices(channel)
    if not channel.is_active or channel.removed_at or not channel.address:
        for notice in notices:
            finish_notice(
                notice, error=channel.off_reason or "The channel is switched off", state=state_without(notice)
            )
        return
    senders: dict[str, Callable[[], None]] = {
        Kind.TELEGRAM: lambda: telegram_messages.send_one(channel, notices, pace),
        Kind.EMAIL: lambda: mail.send_mails(channel, notices),
        Kind.WEBHOOK: lambda: own_webhooks.send_each(channel, notices),
    }
    senders[channel.kind]()


def state_without(notice: Notice) -> Notice.State:
    """The state of a notice whose channel was switched off: one that was sent stays so."""
    return Notice.State.SENT if notice.state == Notice.State.SENT else Notice.State.SKIPPED
