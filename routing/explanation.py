"""Explains the last decision about a contact and its history, in the active language."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from operators.models import Operator
from routing import history, lifecycle, waiting
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
    What.ACCEPTED: gettext_lazy("Taken by %(taker)s (%(by)s)."),
    What.DECLINED: gettext_lazy("Declined by %(giver)s (%(by)s): to %(taker)s."),
    What.TIMED_OUT: gettext_lazy("Not taken in time by %(giver)s: to %(taker)s."),
    What.TOUCHED: gettext_lazy("%(taker)s has replied to the client (%(by)s)."),
}

AUTHORS = {
    "import": pgettext_lazy("author", "import"),
    "key": gettext_lazy("key %(name)s"),
    "original": pgettext_lazy("author", "the original service"),
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
    was chosen, "same_operator" if a reopened contact went back, "queue_order" if older contacts came first, "timeout"
    if nobody was left to whom it could be offered, "original" if the contact was moved in from the original service.
    Recomputing the choice from `candidates` and `draw` gives `chosen`. Without `candidates` if they cannot be read.
    `next_place_at`: of the last decision, when the first operator whom only a cap or the pace keeps from a waiting
    contact can get it.
    """

    cause: str
    at: datetime
    strategy: str
    draw: float | None
    chosen: int | None
    reason: str | None
    candidates: Sequence[ExplainedCandidate]
    text: str
    next_place_at: datetime | None


def explain_decision(*, contact_id: int) -> Explanation:
    """The last decision about a contact. Raises Unknown."""
    contact = lifecycle.find_contact(contact_id)
    decisions = contact.history.filter(what__in=history.CAUSES).select_related("to_operator").order_by("pk")
    why = explain_event(decisions.last() or unrecorded(contact))
    next_place_at = waiting.next_place_at(contact)
    text = f"{why.text} {next_place_text(next_place_at)}".rstrip()
    return replace(why, text=text, next_place_at=next_place_at)


def explain_event(event: ContactEvent) -> Explanation:
    """One decision of the history: an event whose kind is in `history.CAUSES`."""
    try:
        decision, first = history.stored_decision(event), history.stored_first_draw(event)
    except history.Unreadable:
        strategy, candidates, text = str(event.strategy), [], unreadable_text(event)
    else:
        candidates = explained_candidates(decision) if decision else []
        strategy, text = strategy_of(event, decision), decision_text(event, decision, candidates)
        text = f"{text} {first_draw_text(first)}".rstrip()
    return Explanation(
        cause=history.CAUSES[What(event.what)],
        at=event.at,
        strategy=strategy,
        draw=event.draw,
        chosen=event.to_operator_id,
        reason=event.reason,
        candidates=candidates,
        text=text,
        next_place_at=None,
    )


def unrecorded(contact: Contact) -> ContactEvent:
    """Stands for the decision about a contact whose history has none that this version knows."""
    return ContactEvent(
        contact=contact,
        what=What.REGISTERED,
        at=contact.created_at,
        to_operator=contact.operator,
        reason=contact.waiting_reason,
        strategy="unknown",
        evidence=b"",
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
            name=names[member.operator_id].name if member.operator_id in names else f"#{member.operator_id}",
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
    if event.by == history.ORIGINAL:
        return "original"
    if history.CAUSES[What(event.what)] == "manual" or event.what == What.DECLINED:
        return "manual"
    if event.what == What.TIMED_OUT:
        return "timeout"
    return "same_operator" if event.to_operator else "queue_order"


def decision_text(event: ContactEvent, decision: Decision | None, candidates: Sequence[ExplainedCandidate]) -> str:
    """The decision in a sentence."""
    if event.by == history.ORIGINAL:
        return original_text(event)
    if event.to_operator is None:
        if decision is None and event.reason == Contact.Waiting.NONE_AVAILABLE:
            return _("It joined the queue, because older contacts were waiting for the same operator.")
        return not_assigned_text(event)
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


def original_text(event: ContactEvent) -> str:
    """Of a contact that was moved in: its evidence is not known."""
    if event.to_operator is None:
        return _("It had no operator in the original service.")
    return _("%(name)s had it in the original service.") % {"name": event.to_operator.name}


def not_assigned_text(event: ContactEvent) -> str:
    return (
        _("Not assigned: %(reason)s.") % {"reason": reason_text(event.reason)} if event.reason else _("Not assigned.")
    )


def unreadable_text(event: ContactEvent) -> str:
    """The result of a decision whose evidence cannot be read."""
    chosen = event.to_operator
    outcome = _("%(name)s was chosen.") % {"name": chosen.name} if chosen else not_assigned_text(event)
    return f"{outcome} {_('The evidence of this decision cannot be read.')}"


def first_draw_text(first: Decision | None) -> str:
    """Who was drawn first, if that one was no longer available."""
    if first is None or first.chosen is None:
        return ""
    operator = Operator.objects.filter(pk=first.chosen).first()
    name = operator.name if operator else f"#{first.chosen}"
    told = _(
        "%(name)s had been drawn first, but the place was taken, an older contact came first, or something else had "
        "changed."
    )
    return told % {"name": name}


def next_place_text(at: datetime | None) -> str:
    """With the date only if it is not today."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localdate()
    shown = formats.date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")
    return _("Next place at %(time)s.") % {"time": shown}


def event_text(event: ContactEvent) -> str:
    """One event of the history as a sentence. A kind of event that this version does not know is named as stored."""
    sentence = str(SAID[What(event.what)]) if event.what in What else _("%(what)s, by %(by)s.")
    said = sentence % {
        "what": event.what,
        "by": author_text(event.by),
        "giver": event.from_operator.name if event.from_operator else _("the queue"),
        "taker": event.to_operator.name if event.to_operator else waiting_text(event),
    }
    return _("%(sentence)s “%(note)s”") % {"sentence": said, "note": event.note} if event.note else said


def due_text(contact: Contact) -> str:
    """By when the operator must take it, such as "take by 14:32"; empty if no clock runs."""
    if contact.due_at is None or not contact.is_untaken:
        return ""
    due, now = timezone.localtime(contact.due_at), timezone.localtime()
    moment = formats.date_format(due, "H:i" if due.date() == now.date() else "SHORT_DATETIME_FORMAT")
    if due <= now:
        return _("overdue since %(moment)s") % {"moment": moment}
    return _("take by %(moment)s") % {"moment": moment}


def author_text(by: str) -> str:
    """The author of an event: the history stores "user anna", "key bot", "import", "system" or "API"."""
    kind, _space, name = by.partition(" ")
    return str(AUTHORS[kind]) % {"name": name} if kind in AUTHORS else by


def waiting_text(event: ContactEvent) -> str:
    if not event.reason:
        return _("the queue")
    return _("the queue (%(reason)s)") % {"reason": reason_text(event.reason)}


def reason_text(reason: str) -> str:
    """The reason for waiting; one that this version does not know as stored."""
    return str(Contact.Waiting(reason).label) if reason in Contact.Waiting else reason
