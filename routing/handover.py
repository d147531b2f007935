"""Takes all open contacts from one operator and routes each of them to somebody else, in one transaction."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from core import retry
from core.errors import Unknown
from operators.load import give_back_place, lock_operators
from operators.models import Operator
from routing import assignment, history, queue
from routing.history import What
from routing.models import Contact, RosterEntry


@dataclass(slots=True)
class HandoverCount:
    """What became of the contacts: with somebody else, in the queue, or still with the operator."""

    reassigned: int = 0
    queued: int = 0
    kept: int = 0


def hand_over(*, operator_id: int, by: str, before: Callable[[Operator], None], keep: bool) -> HandoverCount:
    """Calls `before` with the locked operator, then routes its open contacts to others, the oldest first.

    What nobody else can take goes back to the queue, at the place of its age; with `keep` it stays. Everybody who may
    get one is locked at once, in key order. Raises Unknown.
    """

    def work(attempt: int) -> tuple[HandoverCount, set[int]]:
        contacts = Contact.objects.open().filter(operator=operator_id).order_by("pk").select_related("source")
        others = RosterEntry.objects.current().filter(source__in=contacts.order_by().values("source"))
        locked = lock_operators({operator_id, *others.values_list("operator_id", flat=True)})
        if operator_id not in locked or locked[operator_id].archived_at:
            raise Unknown("operator", operator_id)
        before(locked[operator_id])
        count, sources = HandoverCount(), set()
        for contact in contacts.select_for_update(no_key=True, of=["self"]):
            hand_over_one(contact, by, attempt, keep, count)
            sources.add(contact.source_id)
        return count, sources

    count, sources = retry.run(work)
    queue.drain_for_operator(operator_id)
    queue.drain_sources(queue.sources_shared_with(sources))
    return count


def hand_over_one(contact: Contact, by: str, attempt: int, keep: bool, count: HandoverCount) -> None:
    had_it = contact.operator_id
    assert had_it is not None  # for the type checker: it is open
    drawn = assignment.draw_and_lock(
        source=contact.source,
        draw=random.random(),
        attempt=attempt,
        excluded={had_it, *queue.excluded_operator_ids(contact)} if keep else queue.excluded_operator_ids(contact),
    )
    if drawn.chosen is None and keep:
        count.kept += 1
        return
    decision = assignment.take_place(drawn)
    contact.save(update_fields=queue.apply_decision(contact, decision))
    give_back_place(had_it)
    history.record_event(contact=contact, what=What.HANDED_OVER, by=by, from_operator=had_it, decision=decision)
    if decision.chosen is None:
        count.queued += 1
    else:
        count.reassigned += 1
