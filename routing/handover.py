"""Takes all open contacts from one operator and routes each of them to another operator, in one transaction."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from core import retry
from core.db.writes import Row, store_many
from core.errors import Unknown
from operators.models import Operator
from routing import history, queue, waiting
from routing.assignment import LockedRosters
from routing.contact_changes import by_decision
from routing.history import What
from routing.models import Contact


@dataclass(slots=True)
class HandoverCount:
    """Numbers of contacts that went to other operators, went to the queue, or stayed with the operator."""

    reassigned: int = 0
    queued: int = 0
    kept: int = 0


def hand_over(*, operator_id: int, by: str, before: Callable[[Operator], None], keep: bool) -> HandoverCount:
    """Calls `before` with the locked operator, then routes its open contacts to others, the oldest first.

    A contact that no other operator can take goes back to the queue, ordered by its age; with `keep` it stays. Every
    operator who may get one is locked first, in key order. Raises Unknown.
    """
    open_contacts = Contact.objects.open().filter(operator=operator_id).order_by("pk")
    for attempt in retry.attempts():
        with attempt:
            rosters = LockedRosters(
                set(open_contacts.order_by().values_list("source_id", flat=True)), held={operator_id}
            )
            operator = rosters.operators.get(operator_id)
            if operator is None or operator.archived_at:
                raise Unknown("operator", operator_id)
            before(operator)
            if operator.archived_at:
                rosters.leave(operator_id)
            contacts = list(open_contacts.select_related("source").select_for_update(no_key=True, of=["self"]))
            if any(contact.source_id not in rosters.rosters for contact in contacts):
                raise retry.LostRace
            count, moved = reassign_all(contacts, operator_id, rosters, by, keep)
    queue.operator_changed(operator_id)
    if count.queued:
        queue.sources_changed({contact.source_id for contact in moved if contact.operator_id is None})
    return count


def reassign_all(
    contacts: list[Contact], operator_id: int, rosters: LockedRosters, by: str, keep: bool
) -> tuple[HandoverCount, list[Contact]]:
    """Routes the contacts; stores them, their history and all loads. Returns the counts and the moved contacts."""
    count, moved, events, now = HandoverCount(), list[Contact](), list[Row](), timezone.now()
    given_back = waiting.excluded_operator_ids_by_contact([contact.pk for contact in contacts])
    for contact in contacts:
        decision = rosters.decide(
            source=contact.source,
            draw=random.random(),
            excluded={*given_back[contact.pk], *([operator_id] if keep else [])},
        )
        if decision.chosen is None and keep:
            count.kept += 1
            continue
        rosters.take_place(source_id=contact.source_id, decision=decision)
        rosters.give_back(operator_id)
        for name, value in {**by_decision(decision), "updated_at": now}.items():
            setattr(contact, name, value)
        events.append(history.event_of(contact, What.HANDED_OVER, by, from_operator=operator_id, decision=decision))
        moved.append(contact)
        history.publish_move(contact, What.HANDED_OVER, decision)
        if decision.chosen is None:
            count.queued += 1
        else:
            count.reassigned += 1
    rosters.save()
    Contact.objects.bulk_update(moved, ["operator", "waiting_reason", "assigned_at", "is_forced", "updated_at"])
    store_many(events)
    return count, moved
