"""Runs `routing.clock` in a thread of a serving process."""

from threading import Event

from crm_router.server.turns import Turn
from routing import clock

AFTER_FAILURE = 5.0  # seconds

turn = Turn()
stopping = Event()


def start_ticker() -> None:
    """Starts the clock as soon as no other process of the service runs it."""
    turn.start(tick_until_stopped, name="ticker")


def tick_until_stopped() -> None:
    while not stopping.is_set():
        try:
            clock.tick_repeatedly(stopping)
        except Exception:  # of the log, whose disk may be full: time goes on nevertheless
            stopping.wait(AFTER_FAILURE)


def stop_ticker() -> None:
    """No tick begins from now on."""
    stopping.set()
