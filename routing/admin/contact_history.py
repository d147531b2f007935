"""The parts of a contact's page that explain its decisions and list its history."""

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.admin import formatting
from operators.models import Obstacle, Operator
from routing import explanation, history
from routing.explanation import ExplainedCandidate, Explanation
from routing.models import Contact, ContactEvent

Table = dict[str, list[Any]]

CANDIDATES = 20  # shown; the history of a source with hundreds of operators stays readable


def full_context(contact: Contact) -> dict[str, Any]:
    """The context of the template `routing/contact_live.html`: why it is where it is, and the history."""
    return text_context(contact) | table_context(explanation.explain_decision(contact_id=contact.pk))


def text_context(contact: Contact) -> dict[str, Any]:
    """The context without the candidates, for users who may not see the loads of other operators."""
    return {
        "why": explanation.explain_decision(contact_id=contact.pk).text,
        "history": [
            {
                "id": event.pk,
                "at": event.at,
                "sentence": explanation.event_text(event),
                "is_decision": is_decision(event),
            }
            for event in explanation.list_events(contact_id=contact.pk)
        ],
    }


def is_decision(event: ContactEvent) -> bool:
    """Whether candidates stood for choice."""
    return event.strategy is not None and event.what in history.CAUSES


def table_context(why: Explanation) -> dict[str, Any]:
    return {
        "why": why.text,
        "candidates": candidate_table(why),
        "more_candidates": max(len(why.candidates) - CANDIDATES, 0),
    }


def candidate_table(why: Explanation) -> Table:
    """The candidates of the decision: the chosen one first, then by probability."""
    ranked = sorted(why.candidates, key=lambda one: (one.operator_id != why.chosen, -one.probability, one.name))
    return {
        "headers": [capfirst(_("operator")), capfirst(_("weight")), capfirst(_("load")), capfirst(_("probability"))],
        "rows": [
            [
                formatting.change_page_link(Operator(pk=one.operator_id), one.name),
                one.weight,
                _("%(load)s of %(limit)s") % {"load": one.load, "limit": one.max_load},
                formatting.percent(100 * one.probability) if one.eligible else obstacle_text(one),
            ]
            for one in ranked[:CANDIDATES]
        ],
    }


def obstacle_text(one: ExplainedCandidate) -> str:
    """Why this candidate could not be chosen."""
    words = dict(Obstacle.choices) | {"excluded": _("gave it back")}
    return str(words.get(one.reason or "", formatting.NOTHING))
