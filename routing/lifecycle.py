"""Changes of a contact after its registration: one function for each, called by API, back-office and commands.

Locks are taken in one order everywhere: operators by key, contacts by key (docs/architecture.md). Every function raises
Unknown if the contact does not exist; `by` names the author in the history.
"""

import random
from collections.abc import Callable

from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.db.compiled import Select
from core.db.writes import Change, store
from core.errors import Conflict, Unknown
from core.retry import LostRace, NothingWritten
from operators.load import lock_operators, place_given_back, place_taken
from operators.models import Obstacle, Operator
from routing import history, queue, waiting
from routing.assignment import assign_again
from routing.contact_changes import assigned_to, by_decision, change_contact, waiting_because
from routing.history import SYSTEM, What
from routing.models import Contact, Exclusion

BY_ID: Select[tuple[object, ...]] = Select(lambda pk: Contact.objects.filter(pk=pk).values_list(*waiting.CONTACT.names))


def resolve_contact(*, contact_id: int, by: str = SYSTEM) -> Contact:
    """Closes the contact and gives its operator's place to the longest-waiting contact that may have it.

    Closing a closed contact changes nothing.
    """
    for attempt in retry.attempts():
        with attempt:
            contact = find_contact(contact_id)
            if contact.is_resolved:
                return contact
            freed = contact.operator_id
            lock_operators([freed])
            closed = change_contact(contact, resolved_at=timezone.now(), waiting_reason=None)
            event = history.event_of(contact, What.RESOLVED, by, from_operator=freed)
            store(closed, *places_given_back(freed), event)
            history.publish_move(contact, What.RESOLVED, None)
    if freed:
        queue.serve_operator(freed)
    return contact


def reopen_contact(*, contact_id: int, by: str = SYSTEM, draw: Callable[[], float] = random.random) -> Contact:
    """Opens a closed contact again: for the same operator if it is free, else routed again.

    Opening an open contact changes nothing.
    """
    for attempt in retry.attempts():
        with attempt:
            contact = find_contact(contact_id)
            if not contact.is_resolved:
                return contact
            former, decision = contact.operator_id, None
            if former and is_free_when_locked(former):
                place, handed = [place_taken(former)], assigned_to(former)
            else:
                assignment = assign_again(contact, draw=draw(), attempt=attempt.number)
                decision, place = assignment.decision, assignment.parts()
                handed = by_decision(decision)
            opened = change_contact(contact, resolved_at=None, **handed)
            store(*place, opened, history.event_of(contact, What.REOPENED, by, decision=decision))
            history.publish_move(contact, What.REOPENED, decision)
    return serve_if_waiting(contact)


def give_contact(*, contact_id: int, operator_id: int, by: str = SYSTEM) -> Contact:
    """Assigns the contact to this operator by hand. Raises Conflict if the operator is off duty or at the limit."""
    return assign_by_hand(contact_id, operator_id, by, raise_if_not_free)


def force_contact(*, contact_id: int, operator_id: int, by: str = SYSTEM) -> Contact:
    """Assigns the contact to this operator by hand, even off duty or beyond the limit."""
    return assign_by_hand(contact_id, operator_id, by, lambda operator: None)


def assign_by_hand(contact_id: int, operator_id: int, by: str, check: Callable[[Operator], None]) -> Contact:
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id)
            freed = contact.operator_id
            operator = lock_operators({operator_id, freed}).get(operator_id)
            if operator is None or operator.archived_at:
                raise Unknown("operator", operator_id)
            if freed == operator_id:
                return contact
            check(operator)
            given = change_contact(contact, **assigned_to(operator_id, is_forced=operator.obstacle is not None))
            event = history.event_of(contact, What.GIVEN, by, from_operator=freed)
            store(given, place_taken(operator_id), *places_given_back(freed), event)
            Exclusion.objects.filter(contact=contact, operator_id=operator_id).delete()
            history.publish_move(contact, What.GIVEN, None)
    if freed:
        queue.serve_operator(freed)
    return contact


def reroute_contact(*, contact_id: int, by: str = SYSTEM, draw: Callable[[], float] = random.random) -> Contact:
    """Routes the contact to another operator. Raises Conflict `nobody_else_free`; the contact then stays unchanged."""
    awaited: set[int | None] = set()  # operators for whom older contacts wait, which come first
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id)
            freed = contact.operator_id
            assignment = assign_again(
                contact, draw=draw(), attempt=attempt.number, excluded=awaited | {freed}, held={freed}
            )
            if assignment.awaited:
                awaited.add(assignment.awaited)
                raise NothingWritten
            if assignment.operator_id is None:
                detail = _("No other operator is free for contact %(id)s. It stays where it is.") % {"id": contact_id}
                raise Conflict("nobody_else_free", detail)
            handed = change_contact(contact, **by_decision(assignment.decision))
            event = history.event_of(contact, What.REASSIGNED, by, from_operator=freed, decision=assignment.decision)
            store(*assignment.parts(), handed, *places_given_back(freed), event)
            history.publish_move(contact, What.REASSIGNED, assignment.decision)
    if freed:
        queue.serve_operator(freed)
    return contact


def reassign_contact(*, contact_id: int, by: str = SYSTEM, force: bool = False, **to: int | None) -> Contact:
    """`operator_id` given: assigns to that operator, with `force` ignoring duty and limit; None: returns to the queue;
    omitted: routes to another operator by the rule. Raises Conflict like the functions that it calls."""
    if "operator_id" not in to:
        return reroute_contact(contact_id=contact_id, by=by)
    operator_id = to["operator_id"]
    if operator_id is None:
        return return_contact(contact_id=contact_id, by=by)
    verb = force_contact if force else give_contact
    return verb(contact_id=contact_id, operator_id=operator_id, by=by)


def return_contact(*, contact_id: int, by: str = SYSTEM) -> Contact:
    """Returns the contact to the queue, ordered by its age; it is not offered again to the operator who had it.

    Returning a waiting contact changes nothing.
    """
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id)
            freed = contact.operator_id
            if freed is None:
                return contact
            lock_operators([freed])
            returned = change_contact(contact, **waiting_because(Contact.Waiting.RETURNED))
            event = history.event_of(contact, What.RETURNED, by, from_operator=freed)
            store(returned, place_given_back(freed), event)
            Exclusion.objects.get_or_create(contact=contact, operator_id=freed)
            history.publish_move(contact, What.RETURNED, None)
    if freed:
        queue.serve_operator(freed)
    return serve_if_waiting(contact)


def find_contact(contact_id: int) -> Contact:
    for contact in waiting.CONTACT.instances(BY_ID(contact_id)):
        return contact
    raise Unknown("contact", contact_id)


def find_open_contact(contact_id: int) -> Contact:
    contact = find_contact(contact_id)
    if contact.is_resolved:
        raise Conflict("resolved", _("Contact %(id)s is resolved. Reopen it first.") % {"id": contact_id})
    return contact


def is_free_when_locked(operator_id: int) -> bool:
    """Locks the operator if it is free. A busy one is not locked, because another may have to be locked instead."""
    if not Operator.objects.free().filter(pk=operator_id).exists():
        return False
    if lock_operators([operator_id])[operator_id].obstacle:
        raise LostRace
    return True


def raise_if_not_free(operator: Operator) -> None:
    if operator.obstacle:
        sentence = _('%(name)s is off duty. Pass "force": true to assign anyway.')
        if operator.obstacle == Obstacle.FULL:
            sentence = _('%(name)s is at the limit of %(limit)s. Pass "force": true to assign anyway.')
        found = {"name": operator.name, "limit": operator.max_load}
        raise Conflict(f"operator_{operator.obstacle}", sentence % found)


def places_given_back(operator_id: int | None) -> list[Change]:
    return [place_given_back(operator_id)] if operator_id else []


def serve_if_waiting(contact: Contact) -> Contact:
    """After the commit: a waiting contact looks for a free operator once more. What was freed may have served it."""
    if contact.operator_id or contact.is_resolved:
        return contact
    queue.serve_new_waiting([contact])
    return retry.reload_rows([contact])[0]
