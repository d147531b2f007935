"""Tells people what became of a contact and why, from its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leads import history, lifecycle
from leads.history import What
from leads.models import Contact, ContactEvent
from operators.models import Operator
from routing.models import Strategy
from routing.selection import Decision, probabilities

HOW = {
    Strategy.WEIGHTED_RANDOM: "was drawn at random by weight",
    Strategy.SMOOTH: "was next in turn by weight",
    Strategy.LEAST_LOADED: "was the least loaded",
}


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    operator_id: int
    name: str
    weight: int
    load: int
    max_load: int
    eligible: bool
    reason: str | None
    probability: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a contact is where it is. `strategy` is "manual" where a person decided, "sticky" where the lead knew the
    chosen one, "queue_order" where older contacts came first. Recomputing the choice from `candidates` and `draw`
    gives `chosen`."""

    cause: str
    at: datetime
    strategy: str
    draw: float | None
    chosen: int | None
    reason: str | None
    candidates: Sequence[ExplainedCandidate]
    text: str


def explain(*, contact_id: int) -> Explanation:
    """The last decision about a contact. Raises Unknown."""
    contact = lifecycle.find(contact_id)
    event = contact.history.filter(what__in=history.CAUSES).select_related("to_operator").order_by("pk").last()
    if event is None:
        raise ContactEvent.DoesNotExist  # every contact has one, from its registration on
    decision = history.recall(event)
    candidates = explain_candidates(decision) if decision else []
    return Explanation(
        cause=history.CAUSES[What(event.what)],
        at=event.at,
        strategy=strategy_of(event, decision),
        draw=event.draw,
        chosen=event.to_operator_id,
        reason=event.reason,
        candidates=candidates,
        text=why(event, decision, candidates),
    )


def tell(*, contact_id: int) -> list[ContactEvent]:
    """The history of a contact, oldest first. Raises Unknown."""
    contact = lifecycle.find(contact_id)
    return list(contact.history.select_related("from_operator", "to_operator").order_by("pk"))


def explain_candidates(decision: Decision) -> list[ExplainedCandidate]:
    names = Operator.objects.in_bulk([member.operator_id for member in decision.candidates])
    chances = probabilities(decision.candidates, strategy=decision.strategy, preferred=decision.preferred)
    return [
        ExplainedCandidate(
            operator_id=member.operator_id,
            name=names[member.operator_id].name,
            weight=member.weight,
            load=member.load,
            max_load=member.max_load,
            eligible=member.obstacle is None,
            reason=member.obstacle,
            probability=chances[member.operator_id],
        )
        for member in decision.candidates
    ]


def strategy_of(event: ContactEvent, decision: Decision | None) -> str:
    if decision:
        return "sticky" if decision.is_sticky else decision.strategy
    return "manual" if history.CAUSES[What(event.what)] == "manual" else "queue_order"


def why(event: ContactEvent, decision: Decision | None, candidates: Sequence[ExplainedCandidate]) -> str:
    """The decision in a sentence."""
    if event.to_operator is None:
        if decision is None and event.reason == Contact.Waiting.NONE_AVAILABLE:
            return "It took its place in the queue, because older contacts waited for the same operator."
        return f"Nobody has it: {Contact.Waiting(event.reason).label}." if event.reason else "Nobody has it."
    name = event.to_operator.name
    if decision is None:
        return f"{name} was given it by hand."
    if decision.is_sticky:
        return f"{name} had this lead before and was free."
    chance = next(member.probability for member in candidates if member.operator_id == decision.chosen)
    others = sum(not member.eligible for member in candidates)
    left_out = f"; {others} of {len(candidates)} were not available" if others else ""
    return f"{name} {HOW[Strategy(decision.strategy)]}, with a probability of {chance:.0%}{left_out}."


def sentence(event: ContactEvent) -> str:
    """A line of the history as people say it."""
    giver = event.from_operator.name if event.from_operator else "the queue"
    taker = event.to_operator.name if event.to_operator else waits(event)
    said = {
        What.REGISTERED: f"Registered by {event.by}, and went to {taker}.",
        What.DEQUEUED: f"Taken from the queue by {taker}.",
        What.REASSIGNED: f"Routed afresh by {event.by}: from {giver} to {taker}.",
        What.GIVEN: f"Given by hand by {event.by}: from {giver} to {taker}.",
        What.RETURNED: f"Put back into the queue by {event.by}, from {giver}.",
        What.HANDED_OVER: f"Handed over by {event.by}: from {giver} to {taker}.",
        What.RESOLVED: f"Resolved by {event.by}; it was with {giver}.",
        What.REOPENED: f"Reopened by {event.by}, and went to {taker}.",
    }
    return said[What(event.what)]


def waits(event: ContactEvent) -> str:
    return f"the queue ({Contact.Waiting(event.reason).label})" if event.reason else "the queue"
