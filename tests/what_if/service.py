"""A service whose clock is set by hand: contacts come and go at chosen seconds of a day."""

import heapq
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from routing import lifecycle
from tests import characters

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
LOOK = 600.0  # seconds between two looks at a contact that waits


class Day:
    """`travel`: time_machine's. Moments are seconds since BEGIN."""

    def __init__(self, travel):
        self.travel, self.order, self.coming = travel, count(), []

    def at(self, second, action):
        heapq.heappush(self.coming, (second, next(self.order), action))

    def run(self, until=86_400.0):
        while self.coming and self.coming[0][0] <= until:
            second, _, action = heapq.heappop(self.coming)
            self.travel.move_to(BEGIN + timedelta(seconds=second), tick=False)
            action()
        self.travel.move_to(BEGIN + timedelta(seconds=until), tick=False)

    def comes(self, second, source, lasts, **fields):
        """A contact that is resolved so many seconds after somebody has got it, or at the next look."""

        def resolve_later(contact, asked_at):
            contact.refresh_from_db()
            if contact.assigned_at is None:
                self.at(asked_at + LOOK, lambda: resolve_later(contact, asked_at + LOOK))
                return
            done = (contact.assigned_at - BEGIN).total_seconds() + lasts
            self.at(max(done, asked_at), lambda: lifecycle.resolve_contact(contact_id=contact.pk))

        self.at(second, lambda: resolve_later(characters.contact(source, **fields), second))

    def comes_at_random(self, seed, source, *, contacts, begin, end, lasting):
        chance = Random(seed)
        for second in sorted(round(chance.uniform(begin, end), 3) for _ in range(contacts)):
            self.comes(second, source, round(chance.uniform(1, 2 * lasting), 3))
