"""Runs the worker of webhooks and messages in threads of a serving process, for installations without one of its own.

One process of the service at a time does it, because an idle worker also costs something.
"""

from threading import Event, Lock

from crm_router.server.turns import Turn
from notifications.worker import Worker, build_loops

ENDING = 10.0  # seconds for what is being sent; its lease is taken over by others afterwards

turn = Turn()
running: list[Worker] = []
changing = Lock()
stopping = Event()


def start_deliverer(is_wanted: bool) -> None:
    """Starts the worker as soon as no other process of the service runs one."""
    if is_wanted:
        turn.start(start_worker, name="deliverer")


def start_worker() -> None:
    with changing:
        if not stopping.is_set():
            worker = Worker(build_loops())
            worker.start()
            running.append(worker)


def stop_deliverer() -> None:
    """Lets the worker finish and give back what it has not begun."""
    stopping.set()
    with changing:
        while running:
            worker = running.pop()
            worker.stop()
            worker.join(ENDING)
