"""What a change will do to sources and operators, in sentences, for the question before it; none for a harmless one."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from operators.models import Operator
from routing.admin.holes import ROSTER, waiting_counts, waiting_text
from routing.models import RosterEntry, Source

NAMED = 5  # sources in a question


def of_going_off_duty(operator: Operator) -> list[str]:
    """The open sources which have nobody on duty then."""
    if not operator.is_active:
        return []
    left = others_on(OuterRef("pk"), operator).filter(operator__is_active=True)
    is_on_it = RosterEntry.objects.filter(source=OuterRef("pk"), operator=operator)
    sources = Source.objects.current().filter(Exists(is_on_it), ~Exists(left))
    return idle_texts(sources, _("%(source)s has nobody on duty then."))


def of_limit(operator: Operator, limit: int) -> list[str]:
    """A limit below the load, if it is lowered."""
    if limit >= min(operator.current_load, operator.max_load):
        return []
    return [
        ngettext(
            "%(name)s keeps the %(count)d open contact, above the limit.",
            "%(name)s keeps the %(count)d open contacts, above the limit.",
            operator.current_load,
        )
        % {"name": operator, "count": operator.current_load},
        _("New ones come only when fewer than %(limit)s are open.") % {"limit": limit},
    ]


def of_leaving_roster(source: Source, operator: Operator) -> list[str]:
    """A source without a roster, or with nobody on duty; an operator on no roster."""
    others = others_on(source.pk, operator)
    found = list[str]()
    if not others.exists():
        found += idle_texts(Source.objects.filter(pk=source.pk), _("%(source)s has nobody on its roster then."))
    elif operator.is_active and not others.filter(operator__is_active=True).exists():
        found += idle_texts(Source.objects.filter(pk=source.pk), _("%(source)s has nobody on duty then."))
    if not RosterEntry.objects.current().filter(operator=operator).exclude(source=source).exists():
        found.append(_("%(name)s is on no roster then and gets no contacts.") % {"name": operator})
    return found


def others_on(source: Any, operator: Operator) -> QuerySet[RosterEntry]:
    return ROSTER.filter(source=source).exclude(operator=operator)


def idle_texts(sources: QuerySet[Source], words: str) -> list[str]:
    """A sentence for each of the sources, with how many contacts wait there."""
    found = list(sources.order_by("name", "pk")[: NAMED + 1])
    waiting = waiting_counts([source.pk for source in found[:NAMED]])
    sentences = [
        f"{words % {'source': source}} {waiting_text(waiting[source.pk]) if source.pk in waiting else ''}".strip()
        for source in found[:NAMED]
    ]
    return sentences + ([_("So have more sources.")] if len(found) > NAMED else [])
