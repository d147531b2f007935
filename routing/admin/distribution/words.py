"""Fairness in words: what is unfair, by how much and why it differs; what is fine takes one line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.admin import formatting
from operators.models import Operator
from routing import fairness
from routing.admin import reports
from routing.fairness import Share
from routing.models import Source


@dataclass(slots=True)
class SourceWords:
    """`verdict`: a sentence. `lines`: one for each operator who deviates, or whose share is not that of the weight."""

    source: Source
    verdict: SafeString | str
    lines: list[str] = field(default_factory=list)


def fairness_words(shares: Iterable[Share]) -> tuple[list[SourceWords], list[SourceWords]]:
    """The unfair sources, and the others from which contacts came."""
    found = [one for one in shares if one.drawn or one.by_hand]
    sources = Source.objects.only("name").in_bulk({one.source_id for one in found})
    names = dict(Operator.objects.filter(pk__in={one.operator_id for one in found}).values_list("pk", "name"))
    unfair: list[SourceWords] = []
    fine: list[SourceWords] = []
    for source_id, group in groupby(sorted(found, key=attrgetter("source_id")), key=attrgetter("source_id")):
        its = list(group)
        words = SourceWords(sources[source_id], reports.source_verdict_text(its[0]))
        is_unfair = its[0].verdict == fairness.UNFAIR
        told = [one for one in its if not one.within_chance] if is_unfair else its
        words.lines = [share_words(one, names) for one in sorted(told, key=lambda one: -one.assigned)]
        (unfair if is_unfair else fine).append(words)
    return unfair, fine


def share_words(one: Share, names: Mapping[int, str]) -> str:
    """ "Anna: 120 contacts, expected 80 (70 to 90). By weight 90; difference: limits −8, by hand +2"."""
    numbers = {
        "name": names.get(one.operator_id, one.operator_id),
        "assigned": reports.assigned_text(one),
        "expected": reports.expected_text(one),
        "share": formatting.percent(100 * one.share),
        "by_weight": formatting.percent(100 * one.configured_share),
    }
    words = (
        _("%(name)s: %(assigned)s, expected %(expected)s; %(share)s of the source, %(by_weight)s by weight") % numbers
    )
    reasons = reports.reasons_text(one)
    if reasons == formatting.NOTHING:
        return words
    return _("%(words)s. Why: %(reasons)s") % {"words": words, "reasons": reasons}
