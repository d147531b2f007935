"""The controls of a soak: what is broken by hand in its own database must be found by its own checks."""

from collections.abc import Callable, Iterator

import psycopg
from soak_checks import REFUSED_BY_JUDGE, run_command
from soak_told import check_told, read_stored
from soak_world import World

UNJUDGED = "SET LOCAL session_replication_role = replica"  # no trigger runs
BUSY = "(SELECT operator_id FROM routing_contact WHERE resolved_at IS NULL AND operator_id IS NOT NULL LIMIT 1)"
BEND = f"UPDATE operators_operator SET current_load = current_load + 1 WHERE id = {BUSY}"
STRAIGHTEN = (
    "UPDATE operators_operator SET current_load = (SELECT count(*) FROM routing_contact"
    " WHERE operator_id = operators_operator.id AND resolved_at IS NULL)"
)
FORGET = (
    "DELETE FROM routing_contactevent WHERE id = (SELECT max(id) FROM routing_contactevent WHERE what = 'resolved')"
)
GIVE_ANOTHER = (
    "UPDATE routing_contactevent SET to_operator_id = NULL"
    " WHERE id = (SELECT max(id) FROM routing_contactevent WHERE what = 'registered' AND to_operator_id IS NOT NULL)"
)


def check_controls(world: World) -> Iterator[str]:
    """The last thing that is done: the database is broken afterwards."""
    controls: dict[str, Callable[[], bool]] = {
        "a load that is changed without a contact is refused at its commit": lambda: is_refused(world),
        "check_routing finds a load that is wrong": lambda: finds(world, "check_routing", BEND),
        "verify_decisions finds a decision that is wrong": lambda: finds(world, "verify_decisions", GIVE_ANOTHER),
        "replay finds a row of history that is gone": lambda: finds(world, "replay", STRAIGHTEN, FORGET),
        "the reader of events finds it as well": lambda: any(misses(world)),
    }
    for what, control in controls.items():
        if control():
            print(f"control: {what}")
        else:
            yield f"control: it is not so that {what}"


def is_refused(world: World) -> bool:
    try:
        world.database.tell(BEND)
    except psycopg.Error as error:
        return error.sqlstate == REFUSED_BY_JUDGE
    return False


def finds(world: World, command: str, *damage: str) -> bool:
    world.database.tell(UNJUDGED, *damage)
    return run_command(world.service, command).returncode != 0


def misses(world: World) -> Iterator[str]:
    stored = read_stored(world.database.ask)
    return check_told("events without one row", world.poller.told, stored.keys(), stored, lambda _: True)
