"""Publishes what happens in the domain to listeners, such as metrics and logs, of which the domain knows nothing.

An event is a small frozen object, defined beside the code that publishes it. `crm_router` adds the listeners at its
start; without any, publishing costs next to nothing. A listener is called in the thread of the publisher, must be
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
    """For what a rollback would undo. The event is made after the commit."""
    if listeners:
        transaction.on_commit(lambda: publish(event()), robust=True)
