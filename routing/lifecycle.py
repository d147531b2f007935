"""Changes of a contact after its registration: one function for each, called by API, back-office and commands.

Locks are taken in one order everywhere: operators by key, contacts by key (docs/architecture.md). Every function raises
Unknown if the contact does not exist; `by` names the author in the history.

`expected_operator_id` is the operator whom the caller believes to have the contact, None for nobody: the functions that
take it raise Conflict `taken_away` if it is with somebody else.
"""

import random
from collections.abc import Callable
from enum import Enum, auto

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.db.compiled import Select
from core.db.writes import Change, store
from core.errors import Conflict, Unknown
from core.retry import LostRace, NothingWritten
from operators.load import lock_operators, place_given_back, place_taken
from operators.models import Obstacle, Operator
from routing import due_moments, history, queue, waiting
from routing.assignment import assign_again
from routing.contact_changes import NEVER_DUE, assigned_to, by_decision, change_contact, waiting_because
from routing.history import SYSTEM, What
from routing.models import Contact, Exclusion
from routing.selection import FirstDraw
from routing.turns import back_from_limit

BY_ID: Select[tuple[object, ...]] = Select(lambda pk: Contact.objects.filter(pk=pk).values_list(*waiting.WITH_OPERATOR))


class Expected(Enum):
    ANYBODY = auto()


ANYBODY = Expected.ANYBODY  # the default: any operator, or none
ExpectedOperator = int | None | Expected

REFUSED = (Obstacle.INACTIVE, Obstacle.FULL)  # obstacles to an assignment by hand


def resolve_contact(*, contact_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY) -> Contact:
    """Closes the contact and gives its operator's place to the longest-waiting contact that may have it.

    Closing a closed contact changes nothing.
    """
    for attempt in retry.attempts():
        with attempt:
            contact = find_contact(contact_id, expected_operator_id)
            freed = close_contact(contact, by)
    if freed:
        queue.serve_operator(freed)
    return contact


def close_contact(contact: Contact, by: str) -> int | None:
    """Closes the contact inside the caller's transaction. Returns the operator who has one place more, if any."""
    if contact.is_resolved:
        return None
    freed = contact.operator_id
    operator = lock_operators([freed]).get(freed or 0)
    closed = change_contact(contact, resolved_at=timezone.now(), waiting_reason=None, **NEVER_DUE)
    event = history.event_of(contact, What.RESOLVED, by, from_operator=freed)
    store(closed, *places_given_back(operator), event)
    history.publish_move(contact, What.RESOLVED, None)
    return freed


def reopen_contact(*, contact_id: int, by: str = SYSTEM, draw: Callable[[], float] = random.random) -> Contact:
    """Opens a closed contact again: for the same operator if it is free, else routed again.

    Opening an open contact changes nothing.
    """
    first = FirstDraw()
    for attempt in retry.attempts():
        with attempt:
            contact = find_contact(contact_id)
            is_opened = open_again(contact, by, draw=draw, attempt=attempt.number, first=first)
    return serve_if_waiting(contact) if is_opened else contact


def open_again(
    contact: Contact, by: str, *, draw: Callable[[], float] = random.random, attempt: int, first: FirstDraw
) -> bool:
    """Opens the contact inside the caller's transaction. Returns whether it was closed."""
    if not contact.is_resolved:
        return False
    former, operator, decision = contact.operator_id, contact.operator, None
    locked = lock_if_free(former, older_than=contact.pk) if former else None
    if former and locked:
        accept_within = due_moments.accept_within(contact.source_id)
        place, handed = [place_taken(locked)], assigned_to(former, accept_within=accept_within)
    else:
        assignment = assign_again(contact, draw=draw(), attempt=attempt, first=first)
        decision, place, operator = assignment.decision, assignment.parts(), assignment.operator
        handed = by_decision(decision, assignment.accept_within)
    opened = change_contact(contact, resolved_at=None, **handed)
    contact.operator = operator
    event = history.event_of(contact, What.REOPENED, by, decision=decision, first=first)
    store(*place, opened, event)
    history.publish_move(contact, What.REOPENED, decision)
    return True


def give_contact(
    *, contact_id: int, operator_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY
) -> Contact:
    """Assigns the contact to this operator by hand. Raises Conflict if the operator is off duty or at the limit."""
    return assign_by_hand(contact_id, operator_id, by, raise_if_not_free, expected_operator_id)


def force_contact(
    *, contact_id: int, operator_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY
) -> Contact:
    """Assigns the contact to this operator by hand, even off duty or beyond the limit."""
    return assign_by_hand(contact_id, operator_id, by, lambda operator: None, expected_operator_id)


def assign_by_hand(
    contact_id: int, operator_id: int, by: str, check: Callable[[Operator], None], expected: ExpectedOperator
) -> Contact:
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id, expected)
            freed = contact.operator_id
            locked = lock_operators({operator_id, freed})
            operator = locked.get(operator_id)
            if operator is None or operator.archived_at:
                raise Unknown("operator", operator_id)
            if freed != operator_id:
                check(operator)
                fields = assigned_to(
                    operator_id,
                    accept_within=due_moments.accept_within(contact.source_id),
                    is_on_duty=operator.is_active,
                    is_forced=operator.obstacle in REFUSED,
                )
                given = change_contact(contact, **fields)
                contact.operator = operator
                event = history.event_of(contact, What.GIVEN, by, from_operator=freed)
                store(given, place_taken(operator), *places_given_back(locked.get(freed or 0)), event)
                Exclusion.objects.filter(Q(operator=operator_id) | Q(until_free=True), contact=contact).delete()
                history.publish_move(contact, What.GIVEN, None)
    if freed and freed != operator_id:
        queue.serve_operator(freed)
    return contact


def reroute_contact(
    *,
    contact_id: int,
    by: str = SYSTEM,
    draw: Callable[[], float] = random.random,
    expected_operator_id: ExpectedOperator = ANYBODY,
) -> Contact:
    """Routes the contact to another operator. Raises Conflict `nobody_else_free`; the contact then stays unchanged."""
    first = FirstDraw()
    awaited: set[int | None] = set()  # operators for whom older contacts wait, which come first
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id, expected_operator_id)
            freed = contact.operator_id
            is_passed_over = contact.waiting_reason == Contact.Waiting.NOBODY_REACTED
            assignment = assign_again(
                contact,
                draw=draw(),
                attempt=attempt.number,
                excluded=awaited | {freed},
                offer_again=is_passed_over,
                held={freed},
                first=first,
            )
            if assignment.awaited:
                awaited |= {assignment.awaited, *waiting.operators_awaited_by_older(contact)}
                raise NothingWritten
            if assignment.operator_id is None:
                detail = _("No other operator is free for contact %(id)s. It stays where it is.") % {"id": contact_id}
                raise Conflict("nobody_else_free", detail)
            handed = change_contact(contact, **by_decision(assignment.decision, assignment.accept_within))
            contact.operator = assignment.operator
            event = history.event_of(
                contact, What.REASSIGNED, by, from_operator=freed, decision=assignment.decision, first=first
            )
            store(*assignment.parts(), handed, *places_freed(freed), event)
            if is_passed_over:
                Exclusion.objects.filter(contact=contact, until_free=True).delete()
            history.publish_move(contact, What.REASSIGNED, assignment.decision)
    if freed:
        queue.serve_operator(freed)
    return contact


def reassign_contact(
    *,
    contact_id: int,
    by: str = SYSTEM,
    force: bool = False,
    expected_operator_id: ExpectedOperator = ANYBODY,
    **to: int | None,
) -> Contact:
    """`operator_id` given: assigns to that operator, with `force` ignoring duty and limit; None: returns to the queue;
    omitted: routes to another operator by the rule. Raises Conflict like the functions that it calls."""
    if "operator_id" not in to:
        return reroute_contact(contact_id=contact_id, by=by, expected_operator_id=expected_operator_id)
    operator_id = to["operator_id"]
    if operator_id is None:
        return return_contact(contact_id=contact_id, by=by, expected_operator_id=expected_operator_id)
    verb = force_contact if force else give_contact
    return verb(contact_id=contact_id, operator_id=operator_id, by=by, expected_operator_id=expected_operator_id)


def return_contact(*, contact_id: int, by: str = SYSTEM, expected_operator_id: ExpectedOperator = ANYBODY) -> Contact:
    """Returns the contact to the queue, ordered by its age; it is not offered again to the operator who had it.

    Returning a waiting contact changes nothing.
    """
    for attempt in retry.attempts():
        with attempt:
            contact = find_open_contact(contact_id, expected_operator_id)
            freed = contact.operator_id
            if freed:
                operator = lock_operators([freed]).get(freed)
                returned = change_contact(contact, **waiting_because(Contact.Waiting.RETURNED))
                event = history.event_of(contact, What.RETURNED, by, from_operator=freed)
                store(returned, *places_given_back(operator), event)
                Exclusion.objects.bulk_create([Exclusion(contact=contact, operator_id=freed)], ignore_conflicts=True)
                history.publish_move(contact, What.RETURNED, None)
    if freed is None:
        return contact
    queue.serve_operator(freed)
    return serve_if_waiting(contact)


def find_contact(contact_id: int, expected: ExpectedOperator = ANYBODY) -> Contact:
    """The contact as it is now. A change of it is stored only if its operator and state are still those read here, so
    what was expected holds at the commit as well."""
    for contact in waiting.contacts_with_operators(BY_ID(contact_id)):
        if expected is not ANYBODY and contact.operator_id != expected:
            raise Conflict("taken_away", where_it_is(contact.operator))
        return contact
    raise Unknown("contact", contact_id)


def where_it_is(operator: Operator | None) -> str:
    if operator is None:
        return _("This contact waits in the queue now. Nothing was changed.")
    return _("%(name)s has this contact now. Nothing was changed.") % {"name": operator.name}


def find_open_contact(contact_id: int, expected: ExpectedOperator = ANYBODY) -> Contact:
    contact = find_contact(contact_id, expected)
    if contact.is_resolved:
        raise Conflict("resolved", _("Contact %(id)s is resolved. Reopen it first.") % {"id": contact_id})
    return contact


def lock_if_free(operator_id: int, *, older_than: int) -> Operator | None:
    """Locks the operator if it is free and, if it is paced, no contact waits for it that is older than this one.

    A busy one is not locked, because another may have to be locked instead.
    """
    found = Operator.objects.free().filter(pk=operator_id).first()
    if found is None or (found.paced_until and waiting.somebody_waits_for(operator_id, older_than=older_than)):
        return None
    operator = lock_operators([operator_id])[operator_id]
    if operator.obstacle or bool(operator.paced_until) != bool(found.paced_until):
        raise LostRace
    return operator


def raise_if_not_free(operator: Operator) -> None:
    """Caps and pace refuse nothing that is given by hand."""
    if operator.obstacle in REFUSED:
        sentence = _('%(name)s is off duty. Pass "force": true to assign anyway.')
        if operator.obstacle == Obstacle.FULL:
            sentence = _('%(name)s is at the limit of %(limit)s. Pass "force": true to assign anyway.')
        found = {"name": operator.name, "limit": operator.max_load}
        raise Conflict(f"operator_{operator.obstacle}", sentence % found)


def places_given_back(operator: Operator | None) -> list[Change]:
    """The changes for this locked operator, if any. Only one who is full comes back into the turns of its sources."""
    if operator is None:
        return []
    is_full = operator.current_load == operator.max_load
    return places_freed(operator.pk) if is_full else [place_given_back(operator.pk)]


def places_freed(operator_id: int | None) -> list[Change]:
    """The changes for an operator who may be full."""
    return [*back_from_limit(operator_id), place_given_back(operator_id)] if operator_id else []


def serve_if_waiting(contact: Contact) -> Contact:
    """After the commit: a waiting contact looks for a free operator once more. What was freed may have served it."""
    if contact.operator_id or contact.is_resolved:
        return contact
    queue.serve_new_waiting([contact])
    return retry.reload_rows([contact])[0]
