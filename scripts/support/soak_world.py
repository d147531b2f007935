"""Everything that runs during a soak: the service with its workers, its database, who is told, and who watches."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bench_service
import commit_judge
from bench_service import Server
from soak_checks import Tail
from soak_listeners import MailServer, Poller, Receiver
from soak_machine import Clock, Database, Kept, deliverer
from soak_memory import Memory
from soak_verbs import Bot, Journal

THREADS = 16
OPERATORS, SOURCES = 12, 4
DELIVERERS = 2
ALL, OF_ONE = "webhook of everything", "webhook of one source"


@dataclass
class World:
    database: Database
    clock: Clock
    service: Server
    deliverers: list[Kept]
    receiver: Receiver
    mail: MailServer
    poller: Poller
    tail: Tail
    memory: Memory
    journal: Journal
    operators: list[int]
    sources: list[int]

    def bot(self, number: int, seed: int) -> Bot:
        return Bot(
            number,
            seed=seed,
            server=self.service,
            operators=self.operators,
            sources=self.sources,
            journal=self.journal,
            now=self.clock.now,
        )


@contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    with ExitStack() as end:
        (folder / "postgresql").mkdir()
        folder.chmod(0o711)  # PostgreSQL may have stepped down from root
        database = Database(folder / "postgresql")
        end.callback(database.end)
        clock = Clock(folder)
        receiver, mail = Receiver(seed), MailServer()
        end.callback(receiver.end)
        end.callback(mail.end)
        service = end.enter_context(
            bench_service.service(
                "soak",
                checkout=bench_service.PROJECT,
                database=database.url,
                database_pid=None,
                folder=folder / "own",
                DELIVER_IN_SERVICE="false",
                WEBHOOK_PRIVATE_NETWORKS="127.0.0.0/8",
                EMAIL_URL=f"smtp://127.0.0.1:{mail.port}",
                **clock.environment,
            )
        )
        database.tell(commit_judge.INSTALL)
        logs = [folder / f"deliver-{number}.log" for number in range(DELIVERERS)]
        deliverers = [deliverer(service, log) for log in logs]
        for worker in deliverers:
            end.callback(worker.stop)
        tail = Tail(folder / "own" / "service.log", *logs)
        end.callback(tail.end)
        operators, sources = set_up(service, receiver)
        journal = Journal()
        reader = Bot(THREADS, seed=seed, server=service, operators=operators, sources=sources, journal=journal)
        poller = Poller(reader.call)
        end.callback(poller.end)
        memory = Memory(groups(service, deliverers))
        end.callback(memory.end)
        yield World(
            *(database, clock, service, deliverers, receiver, mail),
            *(poller, tail, memory, journal, operators, sources),
        )


def set_up(service: Server, receiver: Receiver) -> tuple[list[int], list[int]]:
    """A webhook of everything first, so that it misses nothing. Half of the sources have time-outs."""
    service.post("/webhooks", {"url": receiver.url(ALL.replace(" ", "-"))})
    operators = [service.post("/operators", {"name": f"Operator {n}", "max_load": 10})["id"] for n in range(OPERATORS)]
    for operator in operators:
        channel = {"kind": "email", "address": f"operator{operator}@example.com"}
        service.call("PUT", f"/operators/{operator}/channels", [channel])
    sources = [
        service.post("/sources", {"name": f"Bot {n}", "accept_within": 15 if n % 2 else None, "max_offers": 3})["id"]
        for n in range(SOURCES)
    ]
    webhook: dict[str, Any] = {"url": receiver.url(OF_ONE.replace(" ", "-")), "source_id": sources[0]}
    service.post("/webhooks", webhook | {"with_message": True})
    for source in sources:
        for operator in operators:
            service.post(f"/sources/{source}/operators", {"operator_id": operator})
    return operators, sources


def groups(service: Server, deliverers: list[Kept]) -> dict[str, Any]:
    """Megabytes of the processes that stay, and of all together."""
    assert service.pid
    pid = service.pid
    return {
        "first process": lambda: bench_service.pss_megabytes([pid]),
        "service": lambda: bench_service.memory_megabytes(pid),
        "first delivery worker": lambda: bench_service.memory_megabytes(deliverers[0].process.pid),
        "delivery workers": lambda: sum(bench_service.memory_megabytes(one.process.pid) for one in deliverers),
    }
