"""The history of contacts: its events, and the decisions stored with them."""

from dataclasses import dataclass
from datetime import datetime

from core import events
from core.db.writes import Row
from routing import candidate_codec
from routing.models import Contact, ContactEvent
from routing.selection import STRATEGIES, Decision, FirstDraw, choose

What = ContactEvent.What
SYSTEM = "system"
IMPORT = "import"
ORIGINAL = "original"  # the service whose data were moved in

CAUSES = {
    What.REGISTERED: "intake",
    What.DEQUEUED: "queue",
    What.REASSIGNED: "reassign",
    What.GIVEN: "manual",
    What.RETURNED: "manual",
    What.HANDED_OVER: "handover",
    What.REOPENED: "reopen",
    What.DECLINED: "reassign",
    What.TIMED_OUT: "timeout",
}


def count_assignments(operator_id: int, since: datetime, *, after_event: int = 0) -> int:
    """How many contacts the operator was assigned since then, by the rule or by hand. Uses the indexes by moment."""
    events = ContactEvent.objects.filter(to_operator=operator_id, at__gte=since, pk__gt=after_event)
    by_rule = events.filter(what__in=CAUSES, strategy__isnull=False)
    others = [events.filter(what=what, strategy__isnull=True) for what in (What.GIVEN, What.REOPENED)]
    return sum(some.count() for some in (by_rule, *others))


def last_event_before(moment: datetime) -> int:
    """The id of the last event that says it happened before; 0 if there is none. What still earlier events say happened
    later was stored by a clock that was ahead."""
    return ContactEvent.objects.filter(at__lt=moment).order_by("-pk").values_list("pk", flat=True).first() or 0


class Unreadable(ValueError):
    """The evidence of a stored decision cannot be read by this version. The message names no person."""


@dataclass(frozen=True, slots=True)
class ContactMoved:
    """Event: a contact has changed. `operator_id`: its operator now; `reason`: why it waits, if it does; `strategy`: of
    the rule that decided, None if a person decided or older contacts came first."""

    what: What
    contact_id: int
    source_id: int
    operator_id: int | None
    reason: str | None
    strategy: str | None


def event_of(
    contact: Contact,
    what: What,
    by: str,
    *,
    from_operator: int | None = None,
    decision: Decision | None = None,
    first: FirstDraw | None = None,
    note: str | None = None,
) -> Row:
    """The history row for a change of the contact, to store together with it. The contact may have no id yet.

    A `first` draw that was lost is kept with the decision, or alone if older contacts came first.
    """
    lost = first.lost_to(decision) if first else None
    kept = decision or lost
    return Row(
        ContactEvent,
        contact=contact,
        what=what.value,
        by=by,
        from_operator_id=from_operator,
        to_operator_id=None if what == What.RESOLVED else contact.operator_id,
        reason=contact.waiting_reason,
        note=note,
        strategy=kept.strategy if kept else None,
        draw=decision.draw if decision else None,
        preferred_id=decision.preferred if decision else None,
        evidence=pack_evidence(decision, lost),
    )


def pack_evidence(decision: Decision | None, lost: Decision | None) -> bytes | None:
    if lost:
        return candidate_codec.pack_first_draw(lost, decision.candidates if decision else None)
    return candidate_codec.pack_candidates(decision.candidates) if decision else None


def publish_move(contact: Contact, what: What, decision: Decision | None) -> None:
    """Publishes ContactMoved to listeners, after the commit."""
    operator_id, reason, strategy = contact.operator_id, contact.waiting_reason, decision.strategy if decision else None
    events.publish_after_commit(
        lambda: ContactMoved(what, contact.pk, contact.source_id, operator_id, reason, strategy)
    )


def stored_decision(event: ContactEvent) -> Decision | None:
    """The decision as it was taken; None if a person decided or older contacts came first.

    Raises Unreadable: a newer version has written it, before the way back to this one, or the row is damaged.
    """
    if event.evidence is None or event.strategy is None:
        return None
    try:
        candidates = candidate_codec.unpack_candidates(bytes(event.evidence))
    except ValueError as error:
        raise Unreadable(str(error)) from error
    if candidates is None:
        return None
    decision = Decision(
        candidates=candidates,
        strategy=event.strategy,
        draw=event.draw,
        preferred=event.preferred_id,
        chosen=event.to_operator_id,
        reason=event.reason,
    )
    if decision.strategy not in STRATEGIES:
        raise Unreadable(f"An unknown strategy: {decision.strategy}")
    if decision.chosen is not None and decision.chosen not in {member.operator_id for member in candidates}:
        raise Unreadable(f"Operator {decision.chosen} was chosen without being a candidate.")
    return decision


def stored_first_draw(event: ContactEvent) -> Decision | None:
    """The first draw for this change, if its operator was no longer available when it was locked. Raises Unreadable."""
    try:
        return candidate_codec.unpack_first_draw(bytes(event.evidence)) if event.evidence is not None else None
    except ValueError as error:
        raise Unreadable(str(error)) from error


def recompute_decision(decision: Decision) -> Decision:
    """Applies the current rule to the same candidates and the same draw."""
    return choose(decision.candidates, decision.draw, strategy=decision.strategy, preferred=decision.preferred)
