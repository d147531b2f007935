"""The history of contacts: its lines, and the decisions that they keep."""

from dataclasses import dataclass

from core import events
from core.db.writes import Row
from routing import candidate_codec
from routing.models import Contact, ContactEvent
from routing.selection import Decision, choose

What = ContactEvent.What
SYSTEM = "system"
IMPORT = "import"

CAUSES = {
    What.REGISTERED: "intake",
    What.DEQUEUED: "queue",
    What.REASSIGNED: "reassign",
    What.GIVEN: "manual",
    What.RETURNED: "manual",
    What.HANDED_OVER: "handover",
    What.REOPENED: "reopen",
}


@dataclass(frozen=True, slots=True)
class ContactMoved:
    """Something has been done with a contact. `operator_id`: who has it now; `reason`: why nobody has; `strategy`: of
    the rule that decided, None where a person did, or the contact only takes its turn."""

    what: What
    contact_id: int
    source_id: int
    operator_id: int | None
    reason: str | None
    strategy: str | None


def event_of(
    contact: Contact, what: What, by: str, *, from_operator: int | None = None, decision: Decision | None = None
) -> Row:
    """The line of history to store with what has just been done with the contact, which may have no id yet."""
    return Row(
        ContactEvent,
        contact=contact,
        what=what.value,
        by=by,
        from_operator_id=from_operator,
        to_operator_id=None if what == What.RESOLVED else contact.operator_id,
        reason=contact.waiting_reason,
        strategy=decision.strategy if decision else None,
        draw=decision.draw if decision else None,
        preferred_id=decision.preferred if decision else None,
        evidence=candidate_codec.pack_candidates(decision.candidates) if decision else None,
    )


def publish_move(contact: Contact, what: What, decision: Decision | None) -> None:
    """Publishes the same to listeners, after the commit."""
    operator_id, reason, strategy = contact.operator_id, contact.waiting_reason, decision.strategy if decision else None
    events.publish_after_commit(
        lambda: ContactMoved(what, contact.pk, contact.source_id, operator_id, reason, strategy)
    )


def stored_decision(event: ContactEvent) -> Decision | None:
    """The decision as it was taken; None where a person decided, or where the contact only took its turn."""
    if event.evidence is None or event.strategy is None:
        return None
    return Decision(
        candidates=candidate_codec.unpack_candidates(bytes(event.evidence)),
        strategy=event.strategy,
        draw=event.draw,
        preferred=event.preferred_id,
        chosen=event.to_operator_id,
        reason=event.reason,
    )


def recompute_decision(decision: Decision) -> Decision:
    """What the rule says today to the same candidates and the same draw."""
    return choose(decision.candidates, decision.draw, strategy=decision.strategy, preferred=decision.preferred)
