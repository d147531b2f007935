"""All verbs from 16 threads, with webhooks, mails, readers of events and time-outs, while web workers, delivery workers
and the database are killed, the clock is set and the disk is full: no invariant broken, no answered call lost, every
event told once, memory flat."""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Set
from pathlib import Path
from random import Random

import soak_checks
from programs import COMPILER, find_or_install, how_to_get, may_unshare
from soak_controls import check_controls
from soak_faults import Course, Faults
from soak_listeners import Told
from soak_memory import check_memory, table
from soak_told import Notices, check_notices, check_told, read_stored, wait_for_all
from soak_verbs import Bot
from soak_world import ALL, OF_ONE, THREADS, World, world


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the bots' chance")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the database and the service as well
    if not may_unshare("--mount"):
        sys.exit("A disk that can be full takes root, to mount it.")
    if not find_or_install(COMPILER):
        sys.exit(f"A clock that can be set takes a C compiler. {how_to_get(COMPILER)}")
    print(f"seed {options.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="crm-router-soak-", ignore_cleanup_errors=True) as folder,
        world(Path(folder), options.seed) as running,
    ):
        findings = soak(running, options.minutes * 60, options.seed)
    print("\n".join(["", "FOUND:", *findings] if findings else ["", "Nothing lost, nothing broken."]))
    sys.exit(1 if findings else 0)


def soak(world: World, seconds: float, seed: int) -> list[str]:
    faults, ending, failures = Faults(), threading.Event(), list[str]()
    bots = [world.bot(number, seed) for number in range(THREADS)]
    threads = [threading.Thread(target=work, args=[bot, ending, failures]) for bot in bots]
    course = Course(
        seconds,
        faults=faults,
        service=world.service,
        deliverers=world.deliverers,
        database=world.database,
        clock=world.clock,
        chance=Random(seed),
    )
    for thread in threads:
        thread.start()
    try:
        course.run()
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    world.memory.end()
    findings = [*failures, *check_all_told(world, faults)]
    findings += soak_checks.check_commands(world.service, faults)  # before anything else is done that might mend it
    for path in [f"/operators/{pk}" for pk in world.operators] + [f"/sources/{pk}" for pk in world.sources]:
        bots[0].call("POST", f"{path}/restore")
    findings += soak_checks.check_answered(world.journal, soak_checks.read_contacts(world.database))
    findings += soak_checks.check_repeats(bots[0], world.database, Random(seed))
    findings += soak_checks.check_commands(world.service, faults)
    findings += soak_checks.check_answers(world.journal, faults)
    findings += soak_checks.check_log(world.tail.tracebacks, faults, world.journal.unexpected)
    findings += soak_checks.check_database_log(world.database.log.read_text(errors="replace"))
    findings += check_memory(world.memory.series)
    findings += check_controls(world)
    print(f"\n{table(world.memory.moments, world.memory.series)}")
    soak_checks.report(world.journal, faults)
    return findings


def work(bot: Bot, ending: threading.Event, failures: list[str]) -> None:
    try:
        bot.work(ending)
    except Exception as error:  # an answer that a bot cannot read is a finding
        failures.append(f"bot {bot.number} could not read an answer: {error!r}")


def check_all_told(world: World, faults: Faults) -> Iterator[str]:
    """Bots have ended; time-outs and pauses may still go on, and what they do may be told or not."""
    before = read_stored(world.database.ask)
    notices = Notices(world.database.ask)
    had = {name: world.receiver.accepted[name.replace(" ", "-")] for name in (ALL, OF_ONE)}
    wanted: dict[str, tuple[Set[int], list[Told]]] = {
        "reader of events": (before.keys(), world.poller.told),
        ALL: (before.keys(), had[ALL]),
        OF_ONE: ({pk for pk, one in before.items() if one.source_id == world.sources[0]}, had[OF_ONE]),
    }
    begun = time.monotonic()
    wait_for_all(wanted)
    notices.wait()
    print(f"everything was told {time.monotonic() - begun:.0f} s after the bots had ended", flush=True)
    arrived = {name: list(told) for name, (_, told) in wanted.items()}
    stored = read_stored(world.database.ask)
    for name, (ids, _) in wanted.items():
        may_repeat = faults.explain_repetition if name in had else lambda at: False
        yield from check_told(name, arrived[name], ids, stored, may_repeat)
    print(f"{world.receiver.refused} calls of webhooks were refused")
    yield from check_notices(notices.read(), world.mail.mails)


if __name__ == "__main__":
    main()
