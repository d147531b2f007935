"""Keeps operators who join a roster or come back level with the others, for sources that assign in turn.

While somebody is away, the others' `progress` grows. Without this an operator who comes back would count as behind and
get the next contacts in a row. An operator who fills up notes the others' level (`RosterEntry.left_level`), and is as
far ahead or behind when it is free again.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Exists, ExpressionWrapper, F, FloatField, Max, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest

from core.db.compiled import Delete, Update
from core.db.writes import Change
from operators.models import Operator
from routing.models import Exclusion, RosterEntry, Source, Strategy
from routing.rosters import read_roster
from routing.selection import Candidate, level_with


def starting_progress(source_id: int, *, without: Collection[int]) -> float:
    """The progress with which these operators, who join the source or get another weight, are owed nothing."""
    candidates = read_roster(source_id).candidates()
    others = [candidate for candidate in candidates if candidate.operator_id not in without]
    return level_with(others or candidates)


def level_of_others(candidates: Collection[Candidate], operator_id: int) -> float:
    return level_with([candidate for candidate in candidates if candidate.operator_id != operator_id])


def come_back(operators: Any) -> Any:
    """The update of their entries when these operators, of one id, come back.

    Who has noted the others' level moves on as far as they did; anybody else is at least level with those who are free,
    or with the one who is furthest if nobody is. An operator who is ahead stays ahead, so a short break gains nothing.
    """
    peers = RosterEntry.objects.filter(source=OuterRef("source")).exclude(operator=OuterRef("operator"))
    free = peers.filter(operator__in=Operator.objects.free()).order_by().values("source")
    progress = ExpressionWrapper(F("weight") * F("progress"), FloatField())
    mean = free.annotate(level=ExpressionWrapper(Sum(progress) / Sum("weight"), FloatField()))
    furthest = peers.order_by().values("source").annotate(level=Max("progress"))
    level = Coalesce(Subquery(mean.values("level")), Subquery(furthest.values("level")), F("progress"))
    moved = F("progress") + Greatest(level - Coalesce(F("left_level"), F("progress")), Value(0.0))
    in_turn = Source.objects.filter(strategy=Strategy.SMOOTH).values("pk")
    entries = RosterEntry.objects.filter(operator__in=operators.values("pk"), source__in=in_turn)
    return entries, {"progress": moved, "left_level": None}


COME_BACK = Update(lambda operator_id: come_back(Operator.objects.filter(pk=operator_id)))
COME_BACK_IF_FULL = Update(
    lambda operator_id: come_back(
        Operator.objects.filter(pk=operator_id, current_load=F("max_load"), capped_until__isnull=True)
    )
)
# Contacts to which nobody has reacted are offered again to those who become free.
OFFER_AGAIN = Delete(lambda operator_id: Exclusion.objects.filter(operator=operator_id, until_free=True))
OFFER_AGAIN_IF_FULL = Delete(
    lambda operator_id: Exclusion.objects.filter(
        Exists(Operator.objects.filter(pk=operator_id, current_load=F("max_load"))),
        operator=operator_id,
        until_free=True,
    )
)


def start_level(operator_id: int) -> None:
    """Called when the operator can be chosen again. The caller holds its lock."""
    COME_BACK(operator_id)
    OFFER_AGAIN(operator_id)


def back_from_limit(operator_id: int) -> list[Change]:
    """The changes for an operator who gives a place back, to store before that. They do nothing unless it is full."""
    return [Change(update, (operator_id,), is_required=False) for update in (COME_BACK_IF_FULL, OFFER_AGAIN_IF_FULL)]
