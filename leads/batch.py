"""Registers many contacts of one request: decides them one by one in order, stores 250 per transaction."""

import copy
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import Error
from django.db.models import OuterRef, Subquery

from core import retry
from core.db.writes import store_many
from core.errors import Busy, Refusal, Reused, Unknown
from leads import idempotency, lead_matching
from leads.drafts import Draft, read_draft
from leads.lead_matching import match_leads
from leads.models import Lead
from leads.possible_duplicates import mark_new_lookalikes
from leads.registration import new_contact
from routing import history, queue, waiting
from routing.assignment import LockedRosters, closed_decision
from routing.contact_changes import by_decision
from routing.history import What
from routing.models import Contact, Source
from routing.selection import CLOSED_HOURS, Decision, FirstDraw

log = logging.getLogger(__name__)

TOGETHER = 250  # contacts of one transaction, which keeps their operators locked for about a tenth of a second

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
        mark_new_lookalikes(
            (answer.lead_id, drafts[place].person.lookalikes)
            for place, answer in zip(places, answers, strict=True)
            if isinstance(answer, Contact) and not answer.is_replay
        )
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
            yield read_draft(source=partial(sources.__getitem__, source.pk), **item)
        except Refusal as refusal:
            yield refusal


def register_together(drafts: Sequence[Draft], by: str, draw: Draw) -> list[Result]:
    """Registers all these drafts in one transaction. Returns for each the contact, Reused, or Unknown if its source
    has been closed since it was read."""
    made = idempotency.find_by_keys(draft.token for draft in drafts)
    fresh = first_of_each(drafts, made)
    owners = lead_matching.lock_owners(claim for draft in fresh for claim in draft.person.sought)
    desk = Desk({draft.source_id for draft in fresh}, named={draft.source_id for draft in drafts})
    fresh = [draft for draft in fresh if desk.is_open(draft.source_id)]
    people = [draft.person for draft in fresh]
    matched = match_leads(people, owners, by=by, keeping_names=desk.keeping_names)
    served = zip(fresh, matched.leads, strict=True)
    desk.find_last_operators({lead.pk for draft, lead in served if lead.pk and desk.is_sticky(draft.source_id)})
    store_many(matched.new)
    store_many(matched.identities(by))
    contacts, events = [], []
    for draft, lead in zip(fresh, matched.leads, strict=True):
        decision, first = desk.serve(draft.source_id, lead.pk, draw())
        contact = new_contact(draft, lead, **by_decision(decision, desk.accept_within(draft.source_id)))
        if decision and decision.chosen:
            contact.operator = desk.rosters.operators[decision.chosen]
        contacts.append(contact)
        events.append(history.event_of(contact, What.REGISTERED, by, decision=decision, first=first))
        history.publish_move(contact, What.REGISTERED, decision)
    desk.rosters.save()
    store_many(contacts)
    store_many(events)
    matched.amend(by)
    stored = dict(zip(map(id, fresh), contacts, strict=True))
    made |= {draft.token: stored[id(draft)] for draft in fresh}
    return [
        (stored.get(id(draft)) or replay_or_refuse(made[draft.token], draft))
        if desk.is_open(draft.source_id)
        else Unknown("source", draft.source_id)
        for draft in drafts
    ]


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
    """Assigns new contacts one after another, as `assignment.assign` would, with all their operators locked.

    `source_ids` are the sources of these contacts; `named` also those of contacts that were registered before.
    """

    def __init__(self, source_ids: set[int], *, named: set[int]) -> None:
        self.rosters = LockedRosters(source_ids)
        # Read under the locks, which closing a source needs as well.
        self.sources = Source.objects.current().in_bulk(named)
        self.keeping_names = [pk for pk, source in self.sources.items() if not source.may_rename]
        # Ids of operators for whom an older contact waits.
        self.awaited = set(waiting.oldest_waiting_ids(self.rosters.operators))
        self.last: dict[int, int] = {}  # lead id to the operator of its last contact, of leads of sticky sources

    def is_open(self, source_id: int) -> bool:
        return source_id in self.sources

    def accept_within(self, source_id: int) -> int | None:
        return self.sources[source_id].accept_within

    def is_sticky(self, source_id: int) -> bool:
        return self.sources[source_id].is_sticky

    def find_last_operators(self, lead_ids: set[int]) -> None:
        """Reads who had the last contact of each of these leads, with one query. Called before new ones are stored."""
        known = Lead.objects.filter(pk__in=lead_ids)
        last = Contact.objects.filter(lead=OuterRef("pk"), operator__isnull=False).order_by("-pk").values("operator")
        if lead_ids:
            found = known.values_list("pk", Subquery(last[:1]))
            self.last = {pk: operator_id for pk, operator_id in found if operator_id}

    def serve(self, source_id: int, lead_id: int, draw: float) -> tuple[Decision | None, FirstDraw]:
        """Decides and takes a free place, if any. The decision is None when older contacts wait for the drawn
        operator; the first draw remembers it."""
        source = self.sources[source_id]
        if source.opens_at:
            return closed_decision(source.strategy, CLOSED_HOURS), FirstDraw()
        known = self.last.get(lead_id) if source.is_sticky else None
        decision, first = self.rosters.decide(source=source, draw=draw, preferred=known), FirstDraw()
        first.remember(decision)
        if decision.chosen is not None and decision.chosen not in self.awaited:
            self.rosters.take_place(source_id=source_id, decision=decision)
            self.last[lead_id] = decision.chosen
            return decision, first
        self.awaited.update(self.rosters.members(source_id))
        return self.rosters.why_all_wait(source=source, draw=draw) if decision.chosen else decision, first


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
