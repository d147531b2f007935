"""Registers many contacts of one request: decides them one by one in order, stores a hundred per transaction."""

import copy
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import Error

from core import retry
from core.db.writes import Row, store_many
from core.errors import Busy, Refusal, Reused, Unknown
from leads import idempotency, lead_matching
from leads.drafts import Draft, read_draft
from leads.lead_matching import match_leads
from leads.models import Identity
from leads.registration import new_contact
from routing import history, queue, waiting
from routing.assignment import LockedRosters
from routing.contact_changes import by_decision
from routing.history import What
from routing.models import Contact, Source
from routing.selection import Decision

log = logging.getLogger(__name__)

TOGETHER = 100  # contacts of one transaction, which keeps their operators locked for about a tenth of a second

Draw = Callable[[], float]
Result = Contact | Refusal


def register_contacts(
    *, items: Sequence[Mapping[str, Any]], by: str = history.SYSTEM, draw: Draw = random.random
) -> list[Result]:
    """Returns for each item, in order, what `registration.register_contact` would return or raise for its arguments.

    A refused item does not affect the others. Each contact is stored completely or not at all, even if the process is
    killed. A database error is raised while nothing is stored; after that, the affected items get Busy.
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
            for attempt in retry.attempts():
                with attempt:
                    answers = register_together([drafts[place] for place in places], by, draw)
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
        source = sources.get(item["source_id"])
        try:
            if source is None:
                raise Unknown("source", item["source_id"])
            yield read_draft(region=partial(getattr, source, "region"), **item)
        except Refusal as refusal:
            yield refusal


def register_together(drafts: Sequence[Draft], by: str, draw: Draw) -> list[Result]:
    """Registers all these drafts in one transaction. Returns for each the contact, or Reused."""
    made = idempotency.find_by_keys(draft.token for draft in drafts)
    fresh = first_of_each(drafts, made)
    owners = lead_matching.lock_owners(claim for draft in fresh for claim in draft.person.claims)
    matched = match_leads([draft.person for draft in fresh], owners)
    desk = Desk({draft.source_id for draft in fresh})
    store_many(matched.new)
    store_many([Row(Identity, lead=lead, **claim.fields) for lead, claim in matched.claimed])
    contacts, events = [], []
    for draft, lead in zip(fresh, matched.leads, strict=True):
        decision = desk.serve(draft.source_id, lead.pk, draw())
        contact = new_contact(draft, lead, **by_decision(decision))
        contacts.append(contact)
        events.append(history.event_of(contact, What.REGISTERED, by, decision=decision))
        history.publish_move(contact, What.REGISTERED, decision)
    desk.rosters.save()
    store_many(contacts)
    store_many(events)
    matched.amend()
    stored = dict(zip(map(id, fresh), contacts, strict=True))
    made |= {draft.token: stored[id(draft)] for draft in fresh}
    return [stored.get(id(draft)) or replay_or_refuse(made[draft.token], draft) for draft in drafts]


def first_of_each(drafts: Sequence[Draft], made: Mapping[idempotency.Token, Contact]) -> list[Draft]:
    """The drafts without those whose key has already created a contact, in this batch or earlier."""
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
    """Assigns new contacts one after another, as `assignment.assign` would, with all their operators locked."""

    def __init__(self, source_ids: set[int]) -> None:
        self.rosters = LockedRosters(source_ids)
        self.sources = Source.objects.in_bulk(source_ids)
        # Ids of operators for whom an older contact waits.
        self.awaited = waiting.operators_waited_for(self.rosters.operators)
        self.last: dict[int, int] = {}  # lead id to the operator of its last contact here

    def serve(self, source_id: int, lead_id: int, draw: float) -> Decision | None:
        """Decides and takes a free place, if any. None when older contacts wait for the drawn operator."""
        source = self.sources[source_id]
        known = self.last.get(lead_id) or waiting.last_operator(lead_id=lead_id) if source.is_sticky else None
        decision = self.rosters.decide(source=source, draw=draw, preferred=known)
        if decision.chosen is not None and decision.chosen not in self.awaited:
            self.rosters.take_place(source_id=source_id, decision=decision)
            self.last[lead_id] = decision.chosen
            return decision
        self.awaited.update(self.rosters.members(source_id))
        return None if decision.chosen else decision


def serve_new_waiting(results: Sequence[Result]) -> list[Result]:
    """Called after the commit: tries again to assign the contacts that were put into the queue."""
    queued = [result for result in results if isinstance(result, Contact) and begins_to_wait(result)]
    are_overtaken = any(contact.waiting_reason == Contact.Waiting.NONE_AVAILABLE for contact in queued)
    served = queue.serve_new_waiting(queued, are_overtaken=are_overtaken) if queued else []
    current = {contact.pk: contact for contact in served}
    return [with_current_state(result, current) if isinstance(result, Contact) else result for result in results]


def begins_to_wait(contact: Contact) -> bool:
    return contact.operator_id is None and not contact.is_replay


def with_current_state(contact: Contact, current: Mapping[int, Contact]) -> Contact:
    """The contact in its current state, also for a replay of a contact that was just queued."""
    shown = current.get(contact.pk, contact)
    if contact.is_replay and not shown.is_replay:
        shown = copy.copy(shown)
        shown.is_replay = True
    return shown
