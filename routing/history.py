"""The history of contacts: its events, and the decisions stored with them."""

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
    """Event: a contact has changed. `operator_id`: its operator now; `reason`: why it waits, if it does; `strategy`: of
    the rule that decided, None if a person decided or older contacts came first."""

    what: What
    contact_id: int
    source_id: int
    operator_id: int | None
    reason: str | None
    strategy: str | None


def event_of(
    contact: Contact, what: What, by: str, *, from_operator: int | None = None, decision: Decision | None = None
) -> Row:
    """The history row for a change of the contact, to store together with it. The contact may have no id yet."""
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
    """Publishes ContactMoved to listeners, after the commit."""
    operator_id, reason, strategy = contact.operator_id, contact.waiting_reason, decision.strategy if decision else None
    events.publish_after_commit(
        lambda: ContactMoved(what, contact.pk, contact.source_id, operator_id, reason, strategy)
    )


def stored_decision(event: ContactEvent) -> Decision | None:
    """The decision as it was taken; None if a person decided or older contacts came first."""
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
    """Applies the current rule to the same candidates and the same draw."""
    return choose(decision.candidates, decision.draw, strategy=decision.strategy, preferred=decision.preferred)
