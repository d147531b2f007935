"""The report page for supervisors: the queue by source, and whether contacts are distributed fairly."""

from collections.abc import Sequence
from datetime import datetime, timedelta
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

from core.admin import formatting
from operators.models import Operator
from routing import fairness, queue_stats
from routing.fairness import Share
from routing.models import Contact, Source

Table = dict[str, list[Any]]

PERIOD = timedelta(days=30)
LINES = 100  # rows of the fairness table; significant deviations come first


def queue_and_fairness(request: HttpRequest) -> HttpResponse:
    """The report page, for users who may view contacts."""
    if not (request.user.has_perm("routing.view_contact") or request.user.has_perm("routing.change_contact")):
        raise PermissionDenied
    now = timezone.now()
    shares = fairness.distribution(since=fairness.floor_hour(now - PERIOD))
    context = {
        "title": _("Queue and fairness"),
        "days": PERIOD.days,
        "waiting": waiting_table(queue_stats.queue_lengths(), now),
        "fairness": fairness_table(shares),
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
                Contact.Waiting(length.reason).label,
            ]
            for length in sorted(lengths, key=lambda length: length.oldest_created_at)
        ],
    }


def waiting_contacts_link(source: Source) -> SafeString:
    chosen = {"status": Contact.Status.WAITING, "source__id__exact": source.pk}
    url = f"{reverse('admin:routing_contact_changelist')}?{urlencode(chosen)}"
    return format_html('<a href="{}" class="text-link">{}</a>', url, source)


def fairness_table(shares: Sequence[Share]) -> Table:
    """The shares of the operators; significant deviations come first."""
    shown = sorted(shares, key=lambda one: (one.within_chance, one.source_id, -one.expected))[:LINES]
    sources = Source.objects.in_bulk({one.source_id for one in shown})
    operators = Operator.objects.in_bulk({one.operator_id for one in shown})
    return {
        "headers": [
            capfirst(_("source")),
            capfirst(_("operator")),
            _("Assigned"),
            _("Expected"),
            capfirst(_("share")),
            _("Share by weight"),
            _("Verdict"),
        ],
        "rows": [
            [
                sources[one.source_id],
                formatting.change_page_link(operators[one.operator_id]),
                one.assigned,
                expected_text(one),
                formatting.percent(100 * one.share),
                formatting.percent(100 * one.configured_share),
                verdict_text(one),
            ]
            for one in shown
        ],
    }


def expected_text(one: Share) -> str:
    """ "48 (37 to 59)": the sum of the probabilities, and where 95 of 100 results lie."""
    bounds = {"expected": one.expected, "low": max(one.low, 0.0), "high": one.high}
    numbers = {name: formats.number_format(round(number)) for name, number in bounds.items()}
    return _("%(expected)s (%(low)s to %(high)s)") % numbers


def verdict_text(one: Share) -> SafeString | str:
    """The verdict on one share; none for an operator who could not get a contact."""
    if one.within_chance:
        return _("within chance") if one.expected else formatting.NOTHING
    words = _("more than expected") if one.assigned > one.expected else _("fewer than expected")
    return format_html('<span class="unfair">{}</span>', words)
