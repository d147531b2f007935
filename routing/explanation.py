"""Explains the last decision about a contact and its history, in the active language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from operators.models import Operator
from routing import history, lifecycle
from routing.history import What
from routing.models import Contact, ContactEvent, Strategy
from routing.selection import Decision, probabilities

HOW = {
    Strategy.WEIGHTED_RANDOM: gettext_lazy(
        "%(name)s was drawn at random by weight, with a probability of %(chance)s%%"
    ),
    Strategy.SMOOTH: gettext_lazy("%(name)s was next in turn by weight, with a probability of %(chance)s%%"),
    Strategy.LEAST_LOADED: gettext_lazy("%(name)s was the least loaded, with a probability of %(chance)s%%"),
}

SAID = {
    What.REGISTERED: gettext_lazy("Registered by %(by)s: to %(taker)s."),
    What.DEQUEUED: gettext_lazy("Taken from the queue by %(taker)s."),
    What.REASSIGNED: gettext_lazy("Rerouted by %(by)s: from %(giver)s to %(taker)s."),
    What.GIVEN: gettext_lazy("Assigned manually by %(by)s: from %(giver)s to %(taker)s."),
    What.RETURNED: gettext_lazy("Returned to the queue by %(by)s, from %(giver)s."),
    What.HANDED_OVER: gettext_lazy("Handed over by %(by)s: from %(giver)s to %(taker)s."),
    What.RESOLVED: gettext_lazy("Resolved by %(by)s; the operator was %(giver)s."),
    What.REOPENED: gettext_lazy("Reopened by %(by)s: to %(taker)s."),
}

AUTHORS = {
    "import": pgettext_lazy("author", "import"),
    "key": gettext_lazy("key %(name)s"),
    "system": gettext_lazy("system"),
    "user": gettext_lazy("user %(name)s"),
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
    """The explanation of a decision. `strategy` is "manual" if a person decided, "sticky" if the lead's last operator
    was chosen, "same_operator" if a reopened contact went back, "queue_order" if older contacts came first.
    Recomputing the choice from `candidates` and `draw` gives `chosen`.
    """

    cause: str
    at: datetime
    strategy: str
    draw: float | None
    chosen: int | None
    reason: str | None
    candidates: Sequence[ExplainedCandidate]
    text: str


def explain_decision(*, contact_id: int) -> Explanation:
    """The last decision about a contact. Raises Unknown."""
    contact = lifecycle.find_contact(contact_id)
    event = contact.history.filter(what__in=history.CAUSES).select_related("to_operator").order_by("pk").last()
    if event is None:
        raise ContactEvent.DoesNotExist  # cannot happen: registration stores the first event
    decision = history.stored_decision(event)
    candidates = explained_candidates(decision) if decision else []
    return Explanation(
        cause=history.CAUSES[What(event.what)],
        at=event.at,
        strategy=strategy_of(event, decision),
        draw=event.draw,
        chosen=event.to_operator_id,
        reason=event.reason,
        candidates=candidates,
        text=decision_text(event, decision, candidates),
    )


def list_events(*, contact_id: int) -> list[ContactEvent]:
    """The history of a contact, oldest first. Raises Unknown."""
    contact = lifecycle.find_contact(contact_id)
    return list(contact.history.select_related("from_operator", "to_operator").order_by("pk"))


def explained_candidates(decision: Decision) -> list[ExplainedCandidate]:
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
    if history.CAUSES[What(event.what)] == "manual":
        return "manual"
    return "same_operator" if event.to_operator else "queue_order"


def decision_text(event: ContactEvent, decision: Decision | None, candidates: Sequence[ExplainedCandidate]) -> str:
    """The decision in a sentence."""
    if event.to_operator is None:
        if decision is None and event.reason == Contact.Waiting.NONE_AVAILABLE:
            return _("It joined the queue, because older contacts were waiting for the same operator.")
        if event.reason:
            return _("Not assigned: %(reason)s.") % {"reason": Contact.Waiting(event.reason).label}
        return _("Not assigned.")
    name = event.to_operator.name
    if decision is None and event.what == What.REOPENED:
        return _("%(name)s had this contact before and was free.") % {"name": name}
    if decision is None:
        return _("%(name)s was assigned manually.") % {"name": name}
    if decision.is_sticky:
        return _("%(name)s had this lead before and was free.") % {"name": name}
    chance = next(member.probability for member in candidates if member.operator_id == decision.chosen)
    chosen = str(HOW[Strategy(decision.strategy)]) % {"name": name, "chance": f"{100 * chance:.0f}"}
    others = sum(not member.eligible for member in candidates)
    if not others:
        return f"{chosen}."
    return _("%(chosen)s; %(others)d of %(all)d were not available.") % {
        "chosen": chosen,
        "others": others,
        "all": len(candidates),
    }


def event_text(event: ContactEvent) -> str:
    """One event of the history as a sentence."""
    return str(SAID[What(event.what)]) % {
        "by": author_text(event.by),
        "giver": event.from_operator.name if event.from_operator else _("the queue"),
        "taker": event.to_operator.name if event.to_operator else waiting_text(event),
    }


def author_text(by: str) -> str:
    """The author of an event: the history stores "user anna", "key bot", "import", "system" or "API"."""
    kind, _space, name = by.partition(" ")
    return str(AUTHORS[kind]) % {"name": name} if kind in AUTHORS else by


def waiting_text(event: ContactEvent) -> str:
    if not event.reason:
        return _("the queue")
    return _("the queue (%(reason)s)") % {"reason": Contact.Waiting(event.reason).label}
