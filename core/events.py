"""Tells what happens to whoever listens, such as metrics and logs, of which the domain knows nothing.

A fact is a small frozen object, defined beside the work that it tells of. `crm_router` adds the listeners at its start;
without any, telling costs next to nothing. A listener is called in the thread of the work, must be quick, and must
not raise.
"""

from collections.abc import Callable

from django.db import transaction

Listener = Callable[[object], None]

listeners: list[Listener] = []


def publish(fact: object) -> None:
    for listener in listeners:
        listener(fact)


def publish_after_commit(fact: Callable[[], object]) -> None:
    """For what a rollback would undo: a transaction that starts again has not happened. Only then is the fact made."""
    if listeners:
        transaction.on_commit(lambda: publish(fact()), robust=True)
