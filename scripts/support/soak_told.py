"""Told = stored: every event of the history and of the changes was read once and delivered once, in order."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from soak_listeners import Told

PATIENCE = 240.0  # seconds without any arrival, after which what is missing counts as missing: a lease takes 120
SHOWN = 10  # of each kind of finding

# The events that a row stands for, as docs/api.md lists them: each name, or "place" for assigned or queued. An event's
# id is that of its row times 8, and its number in the row; 7 for a change.
OF_HISTORY = {
    "registered": ("contact.registered", "place"),
    **dict.fromkeys(("dequeued", "reassigned", "given", "returned", "handed_over"), ("place",)),
    "resolved": ("contact.resolved",),
    "accepted": ("contact.accepted",),
    **{what: (f"contact.{what}", "place") for what in ("reopened", "declined", "timed_out")},
    "touched": (),
}
OF_CHANGES = ("operator.", "source.", "roster.", "lead.merged", "lead.unmerged", "lead.erased")
HISTORY = (
    "SELECT event.id, what, to_operator_id IS NOT NULL, event.reason IS NOT NULL, source_id"
    " FROM routing_contactevent event JOIN routing_contact contact ON contact.id = contact_id"
)
CHANGES = "SELECT id, what FROM changes_change"


@dataclass(frozen=True, slots=True)
class Stored:
    type: str
    source_id: int | None  # of a contact


def read_stored(ask: Callable[[str], Any]) -> dict[int, Stored]:
    """By the id of the event."""
    found = {}
    for pk, what, has_operator, has_reason, source_id in ask(HISTORY):
        for number, name in enumerate(OF_HISTORY[what]):
            type_ = name if name != "place" else "contact.assigned" if has_operator else "contact.queued"
            if name != "place" or has_operator or has_reason:
                found[pk * 8 + number] = Stored(type_, source_id)
    for pk, what in ask(CHANGES):
        if what.startswith(OF_CHANGES):
            found[pk * 8 + 7] = Stored(what if what.startswith("lead.") else f"{what.partition('.')[0]}.changed", None)
    return found


def wait_for_all(wanted: Mapping[str, tuple[Set[int], Sequence[Told]]]) -> None:
    """Until each listener has been told what it has to be, or nothing of that has come for a while."""
    least, give_up_at = float("inf"), 0.0
    while missing := sum(len(ids - {one.id for one in had}) for ids, had in wanted.values()):
        if missing < least:
            least, give_up_at = missing, time.monotonic() + PATIENCE
        if time.monotonic() > give_up_at:
            return
        time.sleep(1)


def check_told(
    name: str, told: Sequence[Told], wanted: Set[int], stored: Mapping[int, Stored], may_repeat: Callable[[float], bool]
) -> Iterator[str]:
    """`wanted`: ids of what had to be told; `stored`: also what has been since. `may_repeat`: whether an event that
    arrived at this moment may come again."""
    firsts: dict[int, Told] = {}
    arrivals: dict[int, list[float]] = defaultdict(list)
    for one in told:
        firsts.setdefault(one.id, one)
        arrivals[one.id].append(one.at)
    yield from shortened(f"{name}: stored and never told", sorted(wanted - firsts.keys()))
    yield from shortened(f"{name}: told and not stored", sorted(firsts.keys() - stored.keys()))
    others = [f"{pk} {one.type}" for pk, one in firsts.items() if pk in stored and stored[pk].type != one.type]
    yield from shortened(f"{name}: told as another type", others)
    repeated = {pk: times for pk, times in arrivals.items() if len(times) > 1}
    alone = [f"{pk} at {moments(times)}" for pk, times in repeated.items() if not all(map(may_repeat, times[:-1]))]
    yield from shortened(f"{name}: told twice, which no fault explains", alone)
    yield from shortened(f"{name}: out of order", list(out_of_order(firsts.values())))
    kinds = Counter(one.type.partition(".")[0] for one in firsts.values())
    print(f"{name}: {len(firsts)} events ({dict(kinds)}), {len(repeated)} of them told again", flush=True)


def moments(times: Iterable[float]) -> str:
    """As the log of the run has them."""
    return ", ".join(f"{datetime.fromtimestamp(at):%H:%M:%S}" for at in times)


def out_of_order(firsts: Iterable[Told]) -> Iterator[str]:
    """Of one subject, in order of arrival: ids must grow."""
    ids: dict[tuple[str, int], list[int]] = defaultdict(list)
    for one in firsts:
        for subject in one.subjects:
            ids[subject].append(one.id)
    for (kind, pk), found in ids.items():
        yield from (f"{kind} {pk}: {later} after {earlier}" for earlier, later in pairwise(found) if later < earlier)


class Notices:
    """The messages that had been made for operators when the bots ended; later ones may still be under way."""

    def __init__(self, ask: Callable[[str], Any]) -> None:
        [(last,)] = ask("SELECT coalesce(max(id), 0) FROM messenger_notice")
        self.ask, self.until = ask, int(last)

    def wait(self) -> None:
        """Until all are sent or skipped: an e-mail of a digest waits a minute, a lease takes one."""
        give_up_at = time.monotonic() + PATIENCE
        while self.ask(f"SELECT FROM messenger_notice WHERE state = 'pending' AND id <= {self.until} LIMIT 1"):
            if time.monotonic() > give_up_at:
                return
            time.sleep(1)

    def read(self) -> list[tuple[str, str, int]]:
        """Address, state and number."""
        rows: list[tuple[str, str, int]] = self.ask(
            "SELECT address, state, count(*) FROM messenger_notice notice JOIN messenger_channel channel"
            f" ON channel.id = channel_id WHERE notice.id <= {self.until} GROUP BY address, state"
        )
        return rows


def check_notices(rows: Sequence[tuple[str, str, int]], mails: Mapping[str, int]) -> Iterator[str]:
    """Of each address: its messages by state. None failed or is forgotten, and who was sent one has had a mail."""
    states: Counter[str] = Counter()
    for address, state, number in rows:
        states[state] += number
        if state in ("failed", "pending"):
            yield f"{number} messages to {address} are {state}"
        if state == "sent" and not mails.get(address):
            yield f"{number} messages to {address} count as sent, and no mail came"
    if not states["sent"]:
        yield "no message was sent"
    print(f"messages: {dict(states)}, in {sum(mails.values())} mails")


def shortened(what: str, found: Sequence[object]) -> Iterator[str]:
    yield from (f"{what}: {one}" for one in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"{what}: {len(found) - SHOWN} more"
