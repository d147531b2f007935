"""What must hold after a failover, and the seconds that it took."""

import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

from failover_bots import AGAIN, BOTS, Answer, Journal, Probe

if TYPE_CHECKING:
    from failover_world import Course, World

GOES_ON = 15.0  # seconds after the promotion, or after the return of what was away
SEEN = 3.5  # seconds after a fault in which `/health/ready` may not know it yet: a wait for a standby looks like any
REPEATED = 200  # registrations that are sent again
SHOWN = 5  # of each kind of finding


def check(world: "World", course: "Course", journal: Journal, chance: Random) -> Iterator[str]:
    yield from check_contacts(world, journal)
    yield from check_repeats(world, journal, chance)
    yield from check_commands(world)
    yield from check_answers(journal)
    yield from check_readiness(course, journal)
    if (latest := seconds_until_all(course, journal)) > GOES_ON:
        yield f"the service went on {latest:.1f} s after it could"


def check_contacts(world: "World", journal: Journal) -> Iterator[str]:
    """Every answered contact is stored with its key, and nothing else is; nobody has more contacts than allowed."""
    answered = journal.contacts()
    for key, ids in answered.items():
        if len(ids) > 1:
            yield f"key {key} was answered with the contacts {ids}"
    stored: dict[str, list[int]] = {}
    for key, pk in world.primary.ask("SELECT idempotency_key, id FROM routing_contact"):
        stored.setdefault(key, []).append(pk)
    sent = {answer.key for answer in journal.answers}
    lost = [key for key, ids in answered.items() if ids != set(stored.get(key, []))]
    yield from shortened("answered and lost", lost)
    yield from shortened("stored twice", [key for key, ids in stored.items() if len(ids) > 1])
    yield from shortened("sent and never answered", sorted(sent - answered.keys()))
    over = world.primary.ask(
        "SELECT name, current_load, max_load FROM operators_operator WHERE current_load > max_load"
    )
    yield from shortened("beyond the limit", over)


def check_repeats(world: "World", journal: Journal, chance: Random) -> Iterator[str]:
    """The same message with the same key gives the same contact, whoever answers."""
    answered = journal.contacts()
    bot, ending = world.bot(BOTS, "again", Journal()), threading.Event()
    ending.set()
    for key in chance.sample(sorted(answered), min(REPEATED, len(answered))):
        again = bot.register(key, ending)
        if {again} != answered[key]:
            yield f"key {key} was answered with {answered[key]}, and again with {again}"
        if again is None:
            return


def check_commands(world: "World") -> Iterator[str]:
    service = world.instances[0]
    for command in ("check_routing", "verify_decisions"):
        asked = [f"{service.environment['VENV']}/bin/python", "manage.py", command]
        answer = subprocess.run(
            asked, cwd=service.checkout, env=service.environment, capture_output=True, text=True, check=False
        )
        if answer.returncode:
            yield f"{command}: {answer.stdout}{answer.stderr}"


def check_answers(journal: Journal) -> Iterator[str]:
    """Bots get a contact, or are asked to come again."""
    unexpected = [answer for answer in journal.answers if not answer.contact and answer.status not in AGAIN]
    yield from shortened("unexpected answer", unexpected)


def check_readiness(course: "Course", journal: Journal) -> Iterator[str]:
    """Not ready while nothing could be stored; ready when everything can. Asked each 0.2 s of each instance."""
    away = (course.fault + SEEN, course.mended)
    lies = [probe for probe in journal.probes if probe.is_ready and probe.begun > away[0] and probe.ended < away[1]]
    yield from shortened("ready while nothing could be stored", lies)
    yield from shortened(
        "not ready", [probe for probe in not_ready(course, journal) if probe.begun > course.mended + GOES_ON]
    )


def not_ready(course: "Course", journal: Journal) -> list[Probe]:
    """Without the probes that a worker took with it which was killed on purpose."""
    around = (course.workers_killed, course.workers_killed + 3)
    return [
        probe
        for probe in journal.probes
        if not probe.is_ready and not (probe.status == 0 and probe.ended > around[0] and probe.begun < around[1])
    ]


def reasons(course: "Course", journal: Journal) -> str:
    """Why instances were not ready, before and after the mend."""
    counts: dict[str, Counter[str]] = {"before": Counter(), "after": Counter()}
    for probe in not_ready(course, journal):
        counts["after" if probe.begun > course.mended else "before"][probe.code] += 1
    parts = [f"{when} the mend {dict(found)}" for when, found in counts.items() if found]
    return "not ready: " + ("; ".join(parts) or "never")


def shortened(what: str, found: list[Any]) -> Iterator[str]:
    yield from (f"{what}: {one}" for one in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"{what}: {len(found) - SHOWN} more"


def registered(journal: Journal) -> list[Answer]:
    return [answer for answer in journal.answers if answer.contact]


def seconds_until_all(course: "Course", journal: Journal) -> float:
    """Until each of the bots has been answered with a contact since the mend."""
    firsts = [
        min(
            (answer.ended for answer in registered(journal) if answer.bot == bot and answer.ended > course.mended),
            default=float("inf"),
        )
        for bot in range(BOTS)
    ]
    return max(firsts) - course.mended


def longest_pause(journal: Journal) -> float:
    """Between two contacts in a row, whoever got them."""
    times = sorted(answer.ended for answer in registered(journal))
    return max(later - earlier for earlier, later in pairwise(times))


def row(course: "Course", journal: Journal) -> dict[str, str]:
    after = [answer.ended for answer in registered(journal) if answer.ended > course.mended]
    noes = not_ready(course, journal)
    first_no = [probe.ended for probe in noes if probe.ended > course.fault]
    last_no = [probe.ended for probe in noes if probe.begun > course.mended]
    lost = Counter(answer.status for answer in journal.answers if not answer.contact)
    return {
        "scenario": course.name,
        "away for": f"{course.mended - course.fault:.1f}",
        "not ready after": f"{min(first_no) - course.fault:.1f}" if first_no else "never",
        "first contact after the mend": f"{min(after) - course.mended:.1f}" if after else "never",
        "all bots": f"{seconds_until_all(course, journal):.1f}",
        "both ready": f"{max(last_no, default=course.mended) - course.mended:.1f}",
        "longest pause": f"{longest_pause(journal):.1f}",
        "contacts": str(len(journal.contacts())),
        "sent again": ", ".join(f"{number} x {status}" for status, number in sorted(lost.items())) or "0",
    }


def table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return ""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return "\n".join([*lines, *("| " + " | ".join(row.values()) + " |" for row in rows)])
