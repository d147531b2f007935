"""The life of a contact after its birth: one verb for each change, called by API, back-office and commands alike.

Locks are taken in one order everywhere: operators by key, contacts by key (docs/architecture.md). Every verb raises
Unknown when there is no such contact, and `by` says in the history who asked for it.
"""

import random
from collections.abc import Callable
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.errors import Conflict, Unknown
from core.retry import LostRace
from operators.load import give_back_place, lock_operators, take_places
from operators.models import Obstacle, Operator
from routing import assignment, history, queue
from routing.history import SYSTEM, What
from routing.models import Contact, Exclusion


def resolve_contact(*, contact_id: int, by: str = SYSTEM) -> Contact:
    """Closes the contact and gives its operator's place to the longest-waiting contact that may have it.

    Closing a closed contact changes nothing.
    """

    def work(attempt: int) -> tuple[Contact, int | None]:
        seen = find_contact(contact_id)
        if seen.is_resolved:
            return seen, None
        lock_operators({seen.operator_id})
        contact = lock_unchanged(seen)
        contact.resolved_at, contact.waiting_reason = timezone.now(), None
        contact.save(update_fields=["resolved_at", "waiting_reason", "updated_at"])
        history.record_event(contact=contact, what=What.RESOLVED, by=by, from_operator=contact.operator_id)
        return contact, free_place_of(seen)

    return after_move(*retry.run(work))


def reopen_contact(*, contact_id: int, by: str = SYSTEM, draw: Callable[[], float] = random.random) -> Contact:
    """Opens a closed contact again: for the same operator if it is free, else routed afresh.

    Opening an open contact changes nothing.
    """

    def work(attempt: int) -> Contact:
        seen = find_contact(contact_id)
        if not seen.is_resolved:
            return seen
        if take_former_place(seen.operator):
            decision, place = None, partial(Contact.hand_to, operator_id=seen.operator_id)
        else:
            decision = queue.find_operator(contact=seen, draw=draw(), attempt=attempt)
            place = partial(queue.apply_decision, decision=decision)
        contact = lock_unchanged(seen)
        contact.resolved_at = None
        contact.save(update_fields=["resolved_at", *place(contact)])
        history.record_event(contact=contact, what=What.REOPENED, by=by, decision=decision)
        return contact

    return serve_if_waiting(retry.run(work))


def give_contact(*, contact_id: int, operator_id: int, by: str = SYSTEM) -> Contact:
    """Gives the contact to this person, by hand. Raises Conflict when they are off duty or at the limit."""
    return assign_by_hand(contact_id, operator_id, by, raise_if_not_free)


def force_contact(*, contact_id: int, operator_id: int, by: str = SYSTEM) -> Contact:
    """Gives the contact to this person, by hand, even off duty or beyond the limit."""
    return assign_by_hand(contact_id, operator_id, by, lambda operator: None)


def reroute_contact(*, contact_id: int, by: str = SYSTEM, draw: Callable[[], float] = random.random) -> Contact:
    """Routes the contact afresh to somebody else. Raises Conflict `nobody_else_free`: then it stays where it is."""
    awaited: set[int | None] = set()  # by older contacts, which come first

    def work(attempt: int) -> tuple[Contact, int | None]:
        seen = find_open_contact(contact_id)
        had_it = {seen.operator_id}
        drawn = queue.draw_for(seen, draw(), attempt, held=had_it, excluded=had_it | awaited)
        comes_later = drawn.chosen is not None and queue.somebody_waits_for(drawn.chosen, older_than=seen.pk)
        drawn.confirm()
        if comes_later:
            awaited.add(drawn.chosen)
            raise LostRace
        decision = assignment.take_place(drawn)
        if decision.chosen is None:
            detail = _("No other operator is free for contact %(id)s. It stays where it is.") % {"id": contact_id}
            raise Conflict("nobody_else_free", detail)
        contact = lock_unchanged(seen)
        contact.save(update_fields=queue.apply_decision(contact, decision))
        history.record_event(
            contact=contact, what=What.REASSIGNED, by=by, from_operator=seen.operator_id, decision=decision
        )
        return contact, free_place_of(seen)

    return after_move(*retry.run(work))


def reassign_contact(*, contact_id: int, by: str = SYSTEM, force: bool = False, **to: int | None) -> Contact:
    """`operator_id` given: to that person, even against duty and limit with `force`; None: back to the queue; left
    out: to somebody else, as the rule decides. Raises Conflict as the verbs that it stands for."""
    if "operator_id" not in to:
        return reroute_contact(contact_id=contact_id, by=by)
    operator_id = to["operator_id"]
    if operator_id is None:
        return return_contact(contact_id=contact_id, by=by)
    verb = force_contact if force else give_contact
    return verb(contact_id=contact_id, operator_id=operator_id, by=by)


def return_contact(*, contact_id: int, by: str = SYSTEM) -> Contact:
    """Puts the contact back into the queue, at the place of its age; it is not offered again to the one who had it.

    Putting back what waits changes nothing.
    """

    def work(attempt: int) -> tuple[Contact, int | None]:
        seen = find_open_contact(contact_id)
        if seen.operator_id is None:
            return seen, None
        lock_operators([seen.operator_id])
        contact = lock_unchanged(seen)
        Exclusion.objects.get_or_create(contact=contact, operator_id=seen.operator_id)
        contact.save(update_fields=contact.hand_to(None, Contact.Waiting.RETURNED))
        history.record_event(contact=contact, what=What.RETURNED, by=by, from_operator=seen.operator_id)
        return contact, free_place_of(seen)

    return after_move(*retry.run(work))


def find_contact(contact_id: int) -> Contact:
    contact = Contact.objects.select_related("operator", "source").filter(pk=contact_id).first()
    if contact is None:
        raise Unknown("contact", contact_id)
    return contact


def find_open_contact(contact_id: int) -> Contact:
    contact = find_contact(contact_id)
    if contact.is_resolved:
        raise Conflict("resolved", _("Contact %(id)s is resolved. Reopen it first.") % {"id": contact_id})
    return contact


def lock_unchanged(seen: Contact) -> Contact:
    """Locks the contact's row. Raises LostRace when it has changed hands or state since it was read."""
    contact = Contact.objects.select_for_update(no_key=True).get(pk=seen.pk)
    if (contact.operator_id, contact.resolved_at) != (seen.operator_id, seen.resolved_at):
        raise LostRace
    return contact


def take_former_place(operator: Operator | None) -> bool:
    """Takes a place with the operator who had the contact, if they are free."""
    if operator is None or operator.obstacle:
        return False
    if lock_operators([operator.pk])[operator.pk].obstacle:
        raise LostRace
    take_places(operator.pk)
    return True


def raise_if_not_free(operator: Operator) -> None:
    if operator.obstacle:
        sentence = _('%(name)s is off duty. Pass "force": true to assign anyway.')
        if operator.obstacle == Obstacle.FULL:
            sentence = _('%(name)s is at the limit of %(limit)s. Pass "force": true to assign anyway.')
        found = {"name": operator.name, "limit": operator.max_load}
        raise Conflict(f"operator_{operator.obstacle}", sentence % found)


def assign_by_hand(contact_id: int, operator_id: int, by: str, check: Callable[[Operator], None]) -> Contact:
    def work(attempt: int) -> tuple[Contact, int | None]:
        seen = find_open_contact(contact_id)
        operator = lock_operators({operator_id, seen.operator_id}).get(operator_id)
        if operator is None or operator.archived_at:
            raise Unknown("operator", operator_id)
        if seen.operator_id == operator_id:
            return seen, None
        check(operator)
        contact = lock_unchanged(seen)
        take_places(operator_id)
        Exclusion.objects.filter(contact=contact, operator_id=operator_id).delete()
        contact.save(update_fields=contact.hand_to(operator_id, is_forced=operator.obstacle is not None))
        history.record_event(contact=contact, what=What.GIVEN, by=by, from_operator=seen.operator_id)
        return contact, free_place_of(seen)

    return after_move(*retry.run(work))


def free_place_of(seen: Contact) -> int | None:
    """Gives back the place of whoever had the contact, and returns who that was."""
    if seen.operator_id:
        give_back_place(seen.operator_id)
    return seen.operator_id


def after_move(contact: Contact, freed: int | None) -> Contact:
    if freed:
        queue.drain_for_operator(freed)
    return serve_if_waiting(contact)


def serve_if_waiting(contact: Contact) -> Contact:
    """After the commit: what waits looks once more."""
    return contact if contact.operator_id or contact.is_resolved else queue.serve_new_waiting([contact])[0]
