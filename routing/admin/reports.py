"""The report page for supervisors: the queue by source, and whether contacts are distributed fairly."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import floor
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.admin import formatting
from operators.models import Operator
from routing import explanation, fairness, queue_stats, tallies
from routing.fairness import Share
from routing.models import Contact, Source

Table = dict[str, list[Any]]

PERIOD = timedelta(days=30)
LINES = 100  # rows of the fairness table; significant deviations come first

REASONS = {
    "duty": gettext_lazy("off duty"),
    "limit": gettext_lazy("limits"),
    "given_back": gettext_lazy("given back"),
    "sticky": gettext_lazy("known clients"),
    "load": gettext_lazy("least loaded first"),
    "chance": pgettext_lazy("reason of a difference", "chance"),
    "unexplained": pgettext_lazy("reason of a difference", "unexplained"),
    "taken": gettext_lazy("taken meanwhile"),
    "by_hand": gettext_lazy("by hand"),
}


def queue_and_fairness(request: HttpRequest) -> HttpResponse:
    """The report page, for users who may view contacts."""
    if not (request.user.has_perm("routing.view_contact") or request.user.has_perm("routing.change_contact")):
        raise PermissionDenied
    now = timezone.now()
    shares = fairness.distribution(since=tallies.floor_hour(now - PERIOD))
    sources = Source.objects.only("name").in_bulk({share.source_id for share in shares})
    context = {
        "title": _("Queue and fairness"),
        "days": PERIOD.days,
        "waiting": waiting_table(queue_stats.queue_lengths(), now),
        "verdicts": verdict_table(shares, sources),
        "fairness": fairness_table(shares, sources),
        "more_lines": max(len(shares) - LINES, 0),
    }
    return render(request, "routing/queue_and_fairness.html", admin.site.each_context(request) | context)


def waiting_table(lengths: Sequence[queue_stats.QueueLength], now: datetime) -> Table:
    """The queue by source; the source with the longest wait comes first."""
    sources = Source.objects.in_bulk([length.source_id for length in lengths])
    return {
        "headers": [capfirst(_("source")), _("Waiting"), _("Oldest waiting"), capfirst(_("reason"))],
        "rows": [
            [
                waiting_contacts_link(sources[length.source_id]),
                length.waiting,
                timesince(length.oldest_created_at, now),
                explanation.reason_text(length.reason),
            ]
            for length in sorted(lengths, key=lambda length: length.oldest_created_at)
        ],
    }


def waiting_contacts_link(source: Source) -> SafeString:
    chosen = {"status": Contact.Status.WAITING, "source__id__exact": source.pk}
    url = f"{reverse('admin:routing_contact_changelist')}?{urlencode(chosen)}"
    return format_html('<a href="{}" class="text-link">{}</a>', url, source)


def verdict_table(shares: Sequence[Share], sources: Mapping[int, Source]) -> Table:
    """The verdict on each source that has one; unfair sources come first."""
    found = {one.source_id: one for one in shares if one.drawn}
    ranked = sorted(found.values(), key=lambda one: (one.verdict != fairness.UNFAIR, one.source_id))[:LINES]
    return {
        "headers": [capfirst(_("source")), _("Verdict")],
        "rows": [[sources[one.source_id], source_verdict_text(one)] for one in ranked],
    }


def source_verdict_text(one: Share) -> SafeString | str:
    """The verdict on the source of this share, in a sentence."""
    if one.verdict == fairness.NO_CHOICE:
        return _("Nothing to judge: each time only one operator could be chosen.")
    if one.verdict == fairness.FAIR:
        return _("Fair: the differences are no more than chance.")
    if one.p_value is None or one.p_value >= fairness.LEVEL:
        words = _("Not fair: the rule was not followed.")
    elif one.p_value < 0.001:
        words = _("Not fair: chance alone would cause this in less than 1 of 1,000 cases.")
    else:
        number = formats.number_format(100 * one.p_value, 1)
        words = _("Not fair: chance alone would cause this in %(number)s of 100 cases.") % {"number": number}
    return format_html('<span class="unfair">{}</span>', words)


def fairness_table(shares: Sequence[Share], sources: Mapping[int, Source]) -> Table:
    """The shares of the operators; significant deviations come first."""
    shown = sorted(shares, key=lambda one: (one.within_chance, one.source_id, -one.expected))[:LINES]
    operators = Operator.objects.in_bulk({one.operator_id for one in shown})
    return {
        "headers": [
            capfirst(_("source")),
            capfirst(_("operator")),
            _("Assigned"),
            _("Expected"),
            capfirst(_("share")),
            _("Share by weight"),
            _("Why not by weight"),
            _("Verdict"),
        ],
        "rows": [
            [
                sources[one.source_id],
                formatting.change_page_link(operators[one.operator_id]),
                assigned_text(one),
                expected_text(one),
                formatting.percent(100 * one.share),
                formatting.percent(100 * one.configured_share),
                reasons_text(one),
                verdict_text(one),
            ]
            for one in shown
        ],
    }


def assigned_text(one: Share) -> str:
    """ "48", or "48 (drawn first: 60)" where places were taken meanwhile."""
    numbers = {"assigned": formats.number_format(one.assigned), "drawn": formats.number_format(one.drawn)}
    return _("%(assigned)s (drawn first: %(drawn)s)") % numbers if one.drawn != one.assigned else numbers["assigned"]


def expected_text(one: Share) -> str:
    """ "48 (37 to 59)": the sum of the probabilities, and where 95 of 100 results lie."""
    bounds = {"expected": one.expected, "low": max(one.low, 0.0), "high": one.high}
    numbers = {name: formats.number_format(round(number)) for name, number in bounds.items()}
    return _("%(expected)s (%(low)s to %(high)s)") % numbers


def reasons_text(one: Share) -> str:
    """ "limits −8, by hand +2": what made the difference to the weights, in contacts, the greatest first.

    What the verdict says cannot be chance is not called so here.
    """
    draws = "chance" if one.within_chance else "unexplained"
    rounded = round_together({draws if name == "chance" else name: number for name, number in one.reasons.items()})
    named = sorted((name for name in rounded if rounded[name]), key=lambda name: -abs(rounded[name]))
    return (
        ", ".join(f"{REASONS[name]} {rounded[name]:+d}".replace("-", "\u2212") for name in named) or formatting.NOTHING
    )


def round_together(numbers: Mapping[str, float]) -> dict[str, int]:
    """Rounds the numbers so that they still add up: those closest to the next one are rounded up."""
    rounded = {name: floor(number) for name, number in numbers.items()}
    missing = round(sum(numbers.values())) - sum(rounded.values())
    for name in sorted(numbers, key=lambda name: rounded[name] - numbers[name])[:missing]:
        rounded[name] += 1
    return rounded


def verdict_text(one: Share) -> SafeString | str:
    """The verdict on one share; none for an operator who could not get a contact."""
    if one.within_chance:
        return _("within chance") if one.expected else formatting.NOTHING
    words = _("more than expected") if one.drawn > one.expected else _("fewer than expected")
    return format_html('<span class="unfair">{}</span>', words)
