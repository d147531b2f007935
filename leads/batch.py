"""Many contacts in one request: decided one by one in order, and stored a hundred at a time."""

import copy
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import Error

from core import retry
from core.errors import Busy, Refusal, Reused, Unknown
from leads import idempotency, lead_matching, registration
from leads.models import Identity, Lead
from leads.registration import Draft
from routing import history, queue
from routing.assignment import LockedRosters
from routing.history import What
from routing.models import Contact, ContactEvent, Source
from routing.selection import Decision

log = logging.getLogger(__name__)

TOGETHER = 100  # contacts of one transaction, which keeps their operators locked for about a tenth of a second

Draw = Callable[[], float]
Result = Contact | Refusal


def register_contacts(
    *, items: Sequence[Mapping[str, Any]], by: str = history.SYSTEM, draw: Draw = random.random
) -> list[Result]:
    """For each item, in order, what `intake.register_contact` would return or raise; items are its arguments.

    One that is refused spoils no other. Each contact is stored whole or not at all, whenever the process dies. A fault
    of the database is raised while nothing is stored; after that, the items that it hit are answered Busy.
    """
    results: dict[int, Result] = {}
    drafts: dict[int, Draft] = {}
    for place, found in enumerate(read_items(items)):
        if isinstance(found, Draft):
            drafts[place] = found
        else:
            results[place] = found
    stored = False
    for places in slice_places(list(drafts)):
        try:
            answers = retry.run(partial(register_together, [drafts[place] for place in places], by, draw))
            stored = True
        except (Busy, Error):
            if not stored:
                raise
            log.warning("%s of a batch were not stored", len(places), exc_info=True)
            answers = [Busy() for _ in places]
        results.update(zip(places, answers, strict=True))
    return serve_new_waiting([results[place] for place in range(len(items))])


def slice_places(places: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(places), TOGETHER):
        yield places[start : start + TOGETHER]


def read_items(items: Sequence[Mapping[str, Any]]) -> Iterator[Draft | Refusal]:
    sources = Source.objects.current().in_bulk({item["source_id"] for item in items})
    for item in items:
        asked = dict(item)
        source = sources.get(asked.pop("source_id"))
        try:
            yield registration.read_draft(source, **asked) if source else Unknown("source", item["source_id"])
        except Refusal as refusal:
            yield refusal


def register_together(drafts: Sequence[Draft], by: str, draw: Draw, attempt: int) -> list[Result]:
    """What `register_contact` does, for all of these in one transaction; for each the contact, or Reused."""
    made = idempotency.find_by_keys(draft.token for draft in drafts)
    fresh = first_of_each(drafts, made)
    owners = lead_matching.ask_owners(claim for draft in fresh for claim in draft.person.claims)
    people = lead_matching.match_leads([draft.person for draft in fresh], owners())
    desk = Desk({draft.source.pk for draft in fresh})
    Lead.objects.bulk_create(people.new)
    Identity.objects.bulk_create(Identity(lead=lead, **claim.fields) for lead, claim in people.claimed)
    contacts = [draft.contact(draft.source, lead) for draft, lead in zip(fresh, people.leads, strict=True)]
    decisions = [desk.serve(contact, draw()) for contact in contacts]
    desk.rosters.save()
    Contact.objects.bulk_create(contacts)
    served = list(zip(contacts, decisions, strict=True))
    ContactEvent.objects.bulk_create(
        ContactEvent(contact=contact, **history.event_fields(contact, What.REGISTERED, by, None, made))
        for contact, made in served
    )
    for contact, decision in served:
        history.publish_move(contact, What.REGISTERED, decision)
    people.amend()
    born = dict(zip(map(id, fresh), contacts, strict=True))
    made |= {draft.token: born[id(draft)] for draft in fresh}
    return [born.get(id(draft)) or replay_or_refuse(made[draft.token], draft) for draft in drafts]


def first_of_each(drafts: Sequence[Draft], made: Mapping[idempotency.Token, Contact]) -> list[Draft]:
    """Without those whose key has made a contact, here or earlier."""
    seen = set(made)
    fresh = []
    for draft in drafts:
        if draft.idempotency_key is None or draft.token not in seen:
            fresh.append(draft)
            seen.add(draft.token)
    return fresh


def replay_or_refuse(contact: Contact, draft: Draft) -> Result:
    try:
        return idempotency.replay(contact, draft.fingerprint)
    except Reused as refusal:
        return refusal


class Desk:
    """Serves new contacts one after another by the rule of `queue.find_operator`, with all their operators locked."""

    def __init__(self, source_ids: set[int]) -> None:
        self.rosters = LockedRosters(source_ids)
        self.awaited = queue.operators_waited_for(
            self.rosters.operators
        )  # ids of operators for whom an older contact waits
        self.last: dict[int, int] = {}  # lead id to the operator of its last contact here

    def serve(self, contact: Contact, draw: float) -> Decision | None:
        """Gives the contact to an operator or to the queue. None when older contacts wait for the one drawn."""
        decision = self.find_operator(contact, draw)
        queue.apply_decision(contact, decision)
        if contact.operator_id is None:
            self.awaited.update(self.rosters.members(contact.source))
        else:
            self.last[contact.lead_id] = contact.operator_id
        return decision

    def find_operator(self, contact: Contact, draw: float) -> Decision | None:
        known = self.last.get(contact.lead_id) or queue.last_operator(contact) if contact.source.is_sticky else None
        decision = self.rosters.decide(source=contact.source, draw=draw, preferred=known)
        if decision.chosen in self.awaited:
            return None
        self.rosters.take(source=contact.source, decision=decision)
        return decision


def serve_new_waiting(results: Sequence[Result]) -> list[Result]:
    """After the commit: what has begun to wait looks for an operator once more."""
    waiting = [result for result in results if isinstance(result, Contact) and begins_to_wait(result)]
    anew = {contact.pk: contact for contact in queue.serve_new_waiting(waiting)} if waiting else {}
    return [with_current_state(result, anew) if isinstance(result, Contact) else result for result in results]


def begins_to_wait(contact: Contact) -> bool:
    return contact.operator_id is None and not contact.is_replay


def with_current_state(contact: Contact, anew: Mapping[int, Contact]) -> Contact:
    """Also for repetitions of what has just begun to wait: the same contact in the same state."""
    current = copy.copy(anew.get(contact.pk, contact))
    current.is_replay = contact.is_replay
    return current
