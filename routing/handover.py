"""Takes all open contacts from one operator and routes each of them to another operator, in one transaction."""

import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from core import retry
from core.db.writes import Change, Row, make_changes, store_many
from core.errors import Unknown
from operators.models import Operator
from routing import history, queue, turns, waiting
from routing.assignment import LockedRosters
from routing.contact_changes import by_decision, change_contact
from routing.history import What
from routing.models import Contact
from routing.selection import Decision


@dataclass(slots=True)
class HandoverCount:
    """Numbers of contacts that went to other operators, went to the queue, or stayed with the operator.

    `moves`: each contact that went, with the id of its new operator, None for the queue.
    """

    reassigned: int = 0
    queued: int = 0
    kept: int = 0
    moves: list[tuple[int, int | None]] = field(default_factory=list)


def hand_over(
    *,
    operator_id: int,
    by: str,
    before: Callable[[Operator], None],
    keep: bool,
    after: Callable[[HandoverCount], None] = lambda count: None,
) -> HandoverCount:
    """Calls `before` with the locked operator, then routes its open contacts to others, the oldest first.

    A contact that no other operator can take goes back to the queue, ordered by its age; with `keep` it stays. `after`
    is called last in the same transaction. All of it may be repeated after a lost race. Raises Unknown.

    1. The operator and all operators of its contacts' rosters are locked, in key order.
    2. Its open contacts are read under these locks: nobody else can take or give them. If one is of a source whose
       roster is not locked, the transaction starts again, with that roster.
    3. Each contact is decided as in a batch: nobody is exceeded, and no older waiting contact overtaken.
    """
    open_contacts = Contact.objects.open().filter(operator=operator_id).order_by("pk")
    source_ids: set[int] = set()
    for attempt in retry.attempts():
        with attempt:
            source_ids |= set(open_contacts.order_by().values_list("source_id", flat=True))
            rosters = LockedRosters(source_ids, held={operator_id})
            operator = rosters.operators.get(operator_id)
            if operator is None or operator.archived_at:
                raise Unknown("operator", operator_id)
            was_full = operator.current_load >= operator.max_load
            before(operator)
            if operator.archived_at:
                rosters.leave(operator_id)
            contacts = list(open_contacts.select_related("source"))
            if not source_ids.issuperset(contact.source_id for contact in contacts):
                raise retry.LostRace
            handover = Handover(operator_id, rosters, by, {operator_id} if keep else set())
            for contact, given_back in with_exclusions(contacts):
                handover.route(contact, given_back)
            handover.store()
            after(handover.count)
            if was_full and keep and operator.current_load < operator.max_load:
                turns.start_level(operator_id)
    queue.operator_changed(operator_id)
    if handover.queued_sources:
        queue.sources_changed(handover.queued_sources)
    return handover.count


def with_exclusions(contacts: list[Contact]) -> list[tuple[Contact, list[int]]]:
    """Each contact with the operators who gave it back."""
    given_back = waiting.excluded_operator_ids_by_contact([contact.pk for contact in contacts])
    return [(contact, given_back[contact.pk]) for contact in contacts]


@dataclass(slots=True)
class Handover:
    """Routes contacts one after another, the oldest first, with all operators concerned locked.

    `keeper` holds the operator if it keeps what no other can take.
    """

    operator_id: int
    rosters: LockedRosters
    by: str
    keeper: Collection[int]
    count: HandoverCount = field(default_factory=HandoverCount)
    given: Counter[int] = field(default_factory=Counter)  # contacts by new operator
    queued_sources: set[int] = field(default_factory=set)
    changes: list[Change] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    oldest_waiting: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.oldest_waiting = waiting.oldest_waiting_ids(self.rosters.operators)

    def route(self, contact: Contact, given_back: Collection[int]) -> None:
        """Decides, and changes the contact unless it stays."""
        decision = self.decide(contact, given_back)
        if decision:
            self.move(contact, decision)
            self.count.moves.append((contact.pk, decision.chosen))

    def decide(
        self, contact: Contact, given_back: Collection[int], *, draw: Callable[[], float] = random.random
    ) -> Decision | None:
        """The decision, with the place taken and counted; None if the contact stays."""
        excluded = {*given_back, *self.keeper, *self.awaited_by_older(contact)}
        decision = self.rosters.decide(source=contact.source, draw=draw(), excluded=excluded)
        if decision.chosen is None and self.keeper:
            self.count.kept += 1
            return None
        self.rosters.take_place(source_id=contact.source_id, decision=decision)
        self.rosters.give_back(self.operator_id)
        if decision.chosen is None:
            self.count.queued += 1
            self.queued_sources.add(contact.source_id)
        else:
            self.count.reassigned += 1
            self.given[decision.chosen] += 1
        return decision

    def awaited_by_older(self, contact: Contact) -> list[int]:
        """Operators for whom a contact waits that is older than this one, and comes first."""
        return [operator_id for operator_id, oldest in self.oldest_waiting.items() if oldest < contact.pk]

    def move(self, contact: Contact, decision: Decision) -> None:
        # It finds the contact: nobody takes or gives it without the operator's lock.
        self.changes.append(change_contact(contact, **by_decision(decision, contact.source.accept_within)))
        self.events.append(
            history.event_of(contact, What.HANDED_OVER, self.by, from_operator=self.operator_id, decision=decision)
        )
        history.publish_move(contact, What.HANDED_OVER, decision)

    def store(self) -> None:
        """Stores the loads, the contacts and the history."""
        self.rosters.save()
        make_changes(self.changes)
        store_many(self.events)
