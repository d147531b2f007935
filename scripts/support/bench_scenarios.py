"""What a measurement consists of: for each scenario its requests, built before the clock starts."""

import csv
import itertools
import json
import multiprocessing
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import Any

import bench_load
from bench_service import Server

OPERATORS = 10  # on each roster
LIMIT = 100  # of each of them, the highest that there is
FILL = 0.5  # of a roster's places, at most: full operators are not drawn
KNOWN = 500  # people who have written before, at most
QUEUE = 100  # contacts that wait at one source, at most
BATCH = 500  # items of a batch, the most that the API takes
IMPORTED_TOGETHER = 5_000  # rows of a table that name the same few sources; then come those of others
POLLING = 20  # bots that wait for events
PREPARING = 8  # clients that prepare a scenario

phones = itertools.count(random.randrange(10**8))


@dataclass
class People:
    """Of one server. `known` is the share of registrations that come from people who have written before."""

    server: Server
    share_known: float
    number: InitVar[int]  # of requests in a measurement
    known: list[str] = field(init=False)
    sources: list[int] = field(init=False)  # of the scenario `day`

    def __post_init__(self, number: int) -> None:
        """Registers the known people; that also warms up the server."""
        self.known = [new_phone() for _ in range(min(KNOWN, number))]
        [source] = make_sources(self.server, 1)
        send(self.server, [self.server.request("/contacts", registration(source, phone)) for phone in self.known])

    def registrations(self, sources: Sequence[int], number: int) -> list[dict[str, Any]]:
        known = [place < self.share_known * number for place in range(number)]
        random.shuffle(known)
        return [
            registration(random.choice(sources), random.choice(self.known) if is_known else new_phone())
            for is_known in known
        ]


def registration(source_id: int, phone: str) -> dict[str, Any]:
    return {"source_id": source_id, "lead_phone": phone, "lead_name": "Анна Петрова", "message": "Здравствуйте!"}


def new_phone() -> str:
    return f"+79{next(phones) % 10**9:09d}"


def make_sources(server: Server, number: int, *, limit: int = LIMIT, operators: int = OPERATORS) -> list[int]:
    """Ids of new sources, each with its own roster, in which all weights differ."""
    found = []
    for _ in range(number):
        source = server.post("/sources", {"name": f"Bot {next(phones)}"})["id"]
        for weight in range(1, operators + 1):
            operator = server.post("/operators", {"name": f"Operator {weight}", "max_load": limit})["id"]
            server.post(f"/sources/{source}/operators", {"operator_id": operator, "weight": weight})
        found.append(source)
    return found


def roomy_sources(server: Server, contacts: int) -> list[int]:
    """Sources for so many contacts, of which no operator gets full."""
    return make_sources(server, rounded_up(contacts, int(OPERATORS * LIMIT * FILL)))


def rounded_up(number: int, divisor: int) -> int:
    return -(-number // divisor)


def send(server: Server, requests: list[bytes]) -> list[dict[str, Any]]:
    """Their answers. Not measured."""
    load = bench_load.drive([server.address], requests, clients=PREPARING)
    if failures := load.failures():
        sys.exit(f"{server.name}: the scenario could not be prepared:\n{failures[0].decode(errors='replace')}")
    return [json.loads(body) for body in load.bodies()]


def floor(people: People, number: int) -> list[bytes]:
    """What the framework takes to read and validate a registration: see bench_urls.py."""
    return [people.server.request("/floor", registration(1, new_phone()))] * number


def register(people: People, number: int) -> list[bytes]:
    bodies = people.registrations(roomy_sources(people.server, number), number)
    return [people.server.request("/contacts", body) for body in bodies]


def full(people: People, number: int) -> list[bytes]:
    """Every operator on the roster is full, so that the contact has to wait."""
    sources = full_sources(people, rounded_up(number, QUEUE), limit=1)
    return [people.server.request("/contacts", body) for body in people.registrations(list(sources), number)]


def full_sources(people: People, number: int, *, limit: int) -> dict[int, list[int]]:
    """New sources, and of each the ids of the contacts that its operators have."""
    server = people.server
    return {
        source: [
            contact["id"]
            for contact in send(
                server, [server.request("/contacts", one) for one in people.registrations([source], OPERATORS * limit)]
            )
        ]
        for source in make_sources(server, number, limit=limit)
    }


def resolve(people: People, number: int) -> list[bytes]:
    """Nobody waits."""
    contacts = send(people.server, register(people, number))
    return [people.server.request(f"/contacts/{contact['id']}/resolve") for contact in contacts]


def resolve_and_serve(people: People, number: int) -> list[bytes]:
    """Each freed place goes to the contact that has waited longest. The sources are mixed, as in a busy hour: clients
    that all resolve at one source would compete for its oldest contact."""
    server = people.server
    wanted: list[bytes] = []
    limit = min(LIMIT, rounded_up(min(number, QUEUE), OPERATORS))
    for source, held in full_sources(people, rounded_up(number, OPERATORS * limit), limit=limit).items():
        resolved = held[: number - len(wanted)]
        send(server, [server.request("/contacts", body) for body in people.registrations([source], len(resolved))])
        wanted += [server.request(f"/contacts/{contact}/resolve") for contact in resolved]
    random.shuffle(wanted)
    return wanted


def batch(people: People, number: int) -> list[bytes]:
    bodies = people.registrations(roomy_sources(people.server, number), number)
    parts = [bodies[start : start + BATCH] for start in range(0, number, BATCH)]
    return [people.server.request("/contacts/batch", {"contacts": part}) for part in parts]


def write_table(people: People, number: int, path: Path) -> None:
    """A CSV file for manage.py import_contacts. Its rows name the sources that are not half full yet."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, ["source_id", "lead_phone", "lead_name", "message"])
        table.writeheader()
        for start in range(0, number, IMPORTED_TOGETHER):
            some = min(IMPORTED_TOGETHER, number - start)
            bodies = people.registrations(roomy_sources(people.server, some), some)
            # Numbered, because a row that repeats another one registers nothing.
            table.writerows(body | {"message": f"{body['message']} {start + row}"} for row, body in enumerate(bodies))


def day(people: People, number: int) -> list[bytes]:
    """What bots, supervisors and operators ask for on a usual day, mixed: of six calls one registers, one takes a
    contact, one resolves one and three read pages. See `pollers` for who waits for events meanwhile."""
    server, part = people.server, rounded_up(number, 6)
    people.sources = roomy_sources(server, 3 * part)
    register_all = [server.request("/contacts", body) for body in people.registrations(people.sources, 3 * part)]
    held = [contact["id"] for contact in send(server, register_all[part:])]
    pages = itertools.cycle(["/contacts?status=assigned", f"/contacts?source_id={people.sources[0]}", "/queue"])
    wanted = [
        *register_all[:part],
        *(server.request(f"/contacts/{contact}/accept") for contact in held[:part]),
        *(server.request(f"/contacts/{contact}/resolve") for contact in held[part:]),
        *(server.request(next(pages), method="GET") for _ in range(3 * part)),
    ]
    random.shuffle(wanted)
    return wanted[:number]


@contextmanager
def pollers(people: People, scenario: str) -> Iterator[None]:
    """During the scenario `day` bots of its sources ask for events, in a process of their own."""
    if scenario != "day":
        yield
        return
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=poll_all, args=[people.server, people.sources], daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()  # its bots know no end
        process.join()


def poll_all(server: Server, sources: Sequence[int]) -> None:
    with ThreadPoolExecutor(POLLING) as bots:
        for _, source in zip(range(POLLING), itertools.cycle(sources)):
            bots.submit(poll, server, source)


def poll(server: Server, source: int) -> None:
    """Asks from the cursor of the last answer, and not before Retry-After."""
    cursor = ""
    while True:
        answer, pause = server.get(f"/events?source_id={source}&wait=25{cursor}")
        cursor = f"&after={answer['cursor']}"
        time.sleep(pause)


REQUESTS: dict[str, Callable[[People, int], list[bytes]]] = {
    "floor": floor,
    "registration": register,
    "full": full,
    "resolve": resolve,
    "resolve-and-serve": resolve_and_serve,
    "batch": batch,
    "day": day,
}
IMPORT = "import"
SCENARIOS = ["full", "resolve", "resolve-and-serve", "batch", "day", IMPORT]


def items_of(scenario: str, requests: Sequence[bytes], number: int) -> int:
    """How many contacts the requests are about."""
    return number if scenario == "batch" else len(requests)


def clients_of(scenario: str, clients: int) -> int:
    return 1 if scenario == "batch" else clients


def all_answers_fit(scenario: str, answers: Iterator[dict[str, Any]]) -> bool:
    """Whether the server did what the scenario is about."""
    match scenario:
        case "registration":
            return all(one["operator_id"] is not None for one in answers)
        case "full":
            return all(one["operator_id"] is None for one in answers)
        case "resolve" | "resolve-and-serve":
            return all(one["is_resolved"] for one in answers)
    return True
