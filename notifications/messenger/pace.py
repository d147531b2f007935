"""Telegram's limits: 30 messages a second in all, one a second in each chat. For the process that serves the bot."""

import threading
import time
from collections.abc import Callable

IN_ALL = 1 / 30  # seconds between two messages
IN_A_CHAT = 1.0
REMEMBERED = 10_000  # chats


class Pace:
    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.clock, self.sleep = clock, sleep
        self.lock = threading.Lock()
        self.next = 0.0
        self.next_in: dict[str, float] = {}

    def is_ready(self, chat: str) -> bool:
        """Whether the second since the last message to this chat is over."""
        with self.lock:
            return self.next_in.get(chat, 0.0) <= self.clock()

    def wait_for_turn(self, chat: str) -> None:
        """Takes the next moment at which this chat may get a message, and waits for it."""
        with self.lock:
            now = self.clock()
            at = max(now, self.next, self.next_in.get(chat, 0.0))
            self.next = at + IN_ALL
            if len(self.next_in) >= REMEMBERED:
                self.next_in = {name: moment for name, moment in self.next_in.items() if moment > now}
            self.next_in[chat] = at + IN_A_CHAT
        if at > now:
            self.sleep(at - now)
