"""What happens to the database in each scenario, from the fault on, while the bots are at work."""

import time
from collections.abc import Callable

from failover_bots import Journal
from failover_hosts import CLIENTS, REPLICATION, wait_until
from failover_pooler import Pooler
from failover_world import Course, World

AFTERWARDS = 8  # seconds under load after the service may go on
UNTIL_PROMOTION = 8  # seconds from the fault: as long as a failover manager takes to be sure, or longer
DROPPED = 20  # seconds
WITHOUT_STANDBY = 20  # seconds

Scenario = Callable[[World, Course], None]


def killed(world: World, course: Course) -> None:
    """The primary is killed, the standby is promoted."""
    course.fault = time.monotonic()
    world.primary.kill()
    time.sleep(3)
    promote(world, course)
    time.sleep(AFTERWARDS)


def cut_off(world: World, course: Course) -> None:
    """The primary is cut off from all others, the standby is promoted. Then the former primary comes back, and takes
    changes as before: nobody has told it."""
    course.fault = time.monotonic()
    world.primary.cut()
    time.sleep(UNTIL_PROMOTION)
    promote(world, course)
    time.sleep(AFTERWARDS)
    leave_former_alone(world, course)


def parted(world: World, course: Course) -> None:
    """Only primary and standby lose each other. The standby is promoted although the service reaches both."""
    course.fault = time.monotonic()
    world.primary.cut(REPLICATION)
    time.sleep(UNTIL_PROMOTION)
    promote(world, course)
    time.sleep(15)
    leave_former_alone(world, course)


def leave_former_alone(world: World, course: Course) -> None:
    """The former primary can be reached again, and some processes of the service open their connections again."""
    former = world.standby
    former.heal()
    [(before, back_at)] = former.ask("SELECT coalesce(max(id), 0), now() FROM routing_contact")
    course.workers_killed = time.monotonic()
    world.kill_workers()
    time.sleep(15)
    [(after,)] = former.ask("SELECT coalesce(max(id), 0) FROM routing_contact")
    [(sessions, commits)] = former.ask(
        f"SELECT count(*) FILTER (WHERE backend_start BETWEEN '{back_at}' AND now() - interval '3 s'),"
        f" count(*) FILTER (WHERE wait_event = 'SyncRep' AND query_start > '{back_at}')"
        f" FROM pg_stat_activity WHERE client_addr = '{world.networks.prefix}.{CLIENTS}.1'"
    )
    unconfirmed = former.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")[0][0]
    course.notes.append(f"on the former primary {unconfirmed} commits wait, which nobody was told of")
    if after != before or commits:
        course.findings.append(
            f"the former primary got {after - before} contacts and {commits} commits after its return"
        )
    if sessions:
        course.findings.append(f"{sessions} sessions were begun on the former primary after its return, and kept")


def dropped(world: World, course: Course) -> None:
    """All packets from and to the primary are dropped for 20 s. Nobody is promoted."""
    course.fault = time.monotonic()
    world.primary.cut()
    time.sleep(DROPPED)
    world.primary.heal()
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS + 15)


def standby_gone(world: World, course: Course) -> None:
    """The standby is gone, and commits must wait for it: the service refuses. Then it is back."""
    course.fault = time.monotonic()
    world.standby.kill()
    time.sleep(WITHOUT_STANDBY)
    reads, _ = world.bot(0, "read", Journal()).call("GET", "/operators")
    course.notes.append(f"a list is answered with {reads} meanwhile")
    if reads != 200:
        course.findings.append(f"without a standby a list is answered with {reads}")
    world.standby.start()
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS + 15)


def standby_released(world: World, course: Course) -> None:
    """The standby is gone, and after some seconds commits need not wait any more: Patroni's synchronous_mode."""
    course.fault = time.monotonic()
    world.standby.kill()
    time.sleep(UNTIL_PROMOTION)
    world.primary.require_standby("")
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS)
    world.standby.start()
    world.primary.require_standby()


def promote(world: World, course: Course) -> None:
    world.standby.promote()
    wait_until(lambda: world.standby.ask("SELECT pg_is_in_recovery()") == [(False,)], "it is promoted")
    course.mended = time.monotonic()
    world.swap()


SCENARIOS: dict[str, Scenario] = {
    "killed": killed,
    "cut off": cut_off,
    "parted": parted,
    "dropped": dropped,
    "standby gone": standby_gone,
    "standby released": standby_released,
}


def pooler_restarted(pooler: Pooler) -> Scenario:
    def restarted(world: World, course: Course) -> None:
        """PgBouncer is killed and started again."""
        course.fault = time.monotonic()
        pooler.kill()
        time.sleep(3)
        pooler.start()
        course.mended = time.monotonic()
        time.sleep(AFTERWARDS)

    return restarted
