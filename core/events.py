"""Publishes domain events to listeners, such as metrics and logs, which the domain does not import.

An event is a small frozen object, defined beside the code that publishes it. `crm_router` adds the listeners at
start; without listeners, publishing costs almost nothing. A listener is called in the thread of the publisher, must be
quick, and must not raise.
"""

from collections.abc import Callable

from django.db import transaction

Listener = Callable[[object], None]

listeners: list[Listener] = []


def publish(event: object) -> None:
    for listener in listeners:
        listener(event)


def publish_after_commit(event: Callable[[], object]) -> None:
    """Publishes an event after the commit, so that a rollback discards it. The event is created after the commit."""
    if listeners:
        transaction.on_commit(lambda: publish(event()), robust=True)
