"""Faults of the configuration, as long as they last: sentences, each with the page where it is mended.

A few statements, however many operators and sources there are; of each kind the first ones are named, by name.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from operators.models import Operator
from routing.models import Contact, RosterEntry, Source

NAMED = 20  # of each kind

ROSTER = RosterEntry.objects.filter(operator__archived_at__isnull=True)


class Hole(NamedTuple):
    """One fault: a sentence, and the address of the page where it is mended."""

    sentence: str
    link: str


def configuration_holes() -> list[Hole]:
    """Of all open sources and current operators: sources first."""
    return [*source_holes(Source.objects.current()), *operator_holes(Operator.objects.current())]


def source_holes(sources: QuerySet[Source]) -> Iterator[Hole]:
    """Sources without a roster, and those with a roster on which nobody is on duty. Closed hours are no fault."""
    on_it = ROSTER.filter(source=OuterRef("pk"))
    idle = sources.filter(~Exists(on_it.filter(operator__is_active=True)), opens_at__isnull=True)
    found = list(idle.annotate(is_manned=Exists(on_it)).order_by("name", "pk")[: NAMED + 1])
    waiting = waiting_counts([source.pk for source in found[:NAMED]])
    for source in found[:NAMED]:
        words = _("%(source)s: nobody is on duty.") if source.is_manned else _("%(source)s: nobody is on the roster.")
        sentence = words % {"source": source}
        if count := waiting.get(source.pk, 0):
            sentence += " " + waiting_text(count)
        yield Hole(sentence, reverse("admin:routing_source_change", args=[source.pk]))
    if len(found) > NAMED:
        yield Hole(_("More sources have nobody on duty."), reverse("admin:routing_source_changelist"))


def operator_holes(operators: QuerySet[Operator]) -> Iterator[Hole]:
    """Operators on no roster, and those with more open contacts than their limit allows."""
    on_some = RosterEntry.objects.filter(operator=OuterRef("pk"), source__archived_at__isnull=True)
    yield from named_operators(operators.filter(~Exists(on_some)), _("%(name)s is on no roster and gets no contacts."))
    yield from named_operators(
        operators.filter(current_load__gt=F("max_load")),
        _("%(name)s has %(load)s open contacts, above the limit of %(limit)s."),
    )


def named_operators(operators: QuerySet[Operator], words: str) -> Iterator[Hole]:
    found = list(operators.order_by("name", "pk")[: NAMED + 1])
    for operator in found[:NAMED]:
        values = {"name": operator, "load": operator.current_load, "limit": operator.max_load}
        yield Hole(words % values, reverse("admin:operators_operator_change", args=[operator.pk]))
    if len(found) > NAMED:
        yield Hole(_("The same is true of more operators."), reverse("admin:operators_operator_changelist"))


def waiting_counts(source_ids: list[int]) -> dict[int, int]:
    """How many contacts wait, by source; sources in which none waits are left out."""
    waiting = Contact.objects.waiting().filter(source__in=source_ids).order_by()
    return dict(waiting.values_list("source").annotate(Count("pk"))) if source_ids else {}


def waiting_text(count: int) -> str:
    return ngettext("%(count)d contact waits.", "%(count)d contacts wait.", count) % {"count": count}
