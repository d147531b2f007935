"""A question about a source: whether it can be asked, and its answer, computed here and now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.db import replica
from core.errors import FieldError, Invalid, Unknown
from operators.models import Operator
from operators.models.operator import LIMITS
from routing.models import WEIGHTS, Contact, RosterEntry
from routing.selection import STRATEGIES
from routing.source_actions import require_source
from routing.what_if.past import Period, read_past
from routing.what_if.prediction import Band, Changes, Prediction, differences, predict, with_changes
from routing.what_if.timeline import Past

LONGEST = timedelta(days=92)
MOST_CONTACTS = 200_000

# Why nothing is predicted; the sentences are in `answers`.
NO_CONTACTS, TOO_MANY, NOT_REPRODUCED = "no_contacts", "too_many", "not_reproduced"


@dataclass(frozen=True, slots=True)
class Answer:
    """`refusal`: why nothing is predicted, as a code with its numbers; None if something is."""

    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    refusal: dict[str, Any] | None = None


def check(*, source_id: int, since: datetime, until: datetime, changes: Changes) -> None:
    """Raises Unknown for a source or an operator that does not exist, Invalid for what cannot be replayed."""
    require_source(source_id)
    check_period(since, until)
    roster = changes.roster
    named = {*changes.weights, *changes.limits, *(roster or ())}
    known = set(Operator.objects.current().filter(pk__in=named).values_list("pk", flat=True))
    if named - known:
        raise Unknown("operator", min(named - known))
    wrong = [*in_range("weights", changes.weights, WEIGHTS), *in_range("limits", changes.limits, LIMITS)]
    if changes.strategy is not None and changes.strategy not in STRATEGIES:
        wrong.append(FieldError("changes.strategy", "invalid_choice", _("This is not a strategy.")))
    if roster is not None:
        present = set(RosterEntry.objects.filter(source=source_id).values_list("operator_id", flat=True))
        weightless = sorted(set(roster) - present - changes.weights.keys())
        beside = sorted(changes.weights.keys() - set(roster))
        if weightless:
            detail = _("Operator %(id)s is not on the roster of this source: a weight is needed.")
            wrong.append(FieldError("changes.roster", "invalid", detail % {"id": weightless[0]}))
        if beside:
            detail = _("Operator %(id)s has a weight, but is not on this roster.")
            wrong.append(FieldError("changes.weights", "invalid", detail % {"id": beside[0]}))
    if wrong:
        raise Invalid(*wrong)


def check_period(since: datetime, until: datetime) -> None:
    if until > timezone.now():
        raise Invalid(FieldError("to", "invalid", _("The period must not end in the future.")))
    if since >= until:
        raise Invalid(FieldError("from", "invalid", _("The period must begin before it ends.")))
    if until - since > LONGEST:
        detail = _("The period must not be longer than %(days)s days.") % {"days": LONGEST.days}
        raise Invalid(FieldError("from", "invalid", detail))


def in_range(name: str, values: Mapping[int, int], bounds: tuple[int, int]) -> list[FieldError]:
    detail = _("This must be a whole number from %(low)s to %(high)s.") % {"low": bounds[0], "high": bounds[1]}
    return [
        FieldError(f"changes.{name}.{pk}", "invalid", detail)
        for pk, value in values.items()
        if not bounds[0] <= value <= bounds[1]
    ]


def answer(*, source_id: int, period: Period, changes: Changes, go_on: Callable[[], object] = lambda: None) -> Answer:
    """Replays the period as it was and, if that reproduces what happened, with the changes. Takes a while, and writes
    nothing."""
    contacts = Contact.objects.filter(
        source=source_id, created_at__gte=period.since, created_at__lt=period.until
    ).count()
    if contacts > MOST_CONTACTS:
        return Answer(refusal={"code": TOO_MANY, "contacts": contacts, "most": MOST_CONTACTS})
    named = {*changes.weights, *changes.limits, *(changes.roster or ())}
    read = partial(read_past, source_id=source_id, period=period, operator_ids=named, go_on=go_on)
    past, observed = replica.read(read)
    if not past.arrivals or not observed.assigned:
        return Answer(refusal={"code": NO_CONTACTS})
    before = predict(past, go_on=go_on)
    if wrong := differences(observed, before, len(past.arrivals)):
        return Answer(shown(before, past), refusal={"code": NOT_REPRODUCED, "differences": told(wrong)})
    after = predict(with_changes(past, changes), go_on=go_on)
    return Answer(shown(before, past), shown(after, past))


def told(wrong: Mapping[int | str, tuple[float, Band]]) -> list[dict[str, Any]]:
    return [{"of": of, "was": was, "low": band.low, "high": band.high} for of, (was, band) in wrong.items()]


def shown(prediction: Prediction, past: Past) -> dict[str, Any]:
    """A prediction as the API answers it: shares are parts of 1, waits are seconds."""
    found: dict[str, Any] = {
        "operators": [
            {"operator_id": pk, "share": round(band.value, 4), "low": round(band.low, 4), "high": round(band.high, 4)}
            for pk, band in prediction.shares.items()
            if band.value or was_on_roster(past, pk)
        ]
    }
    for name in ("waiting_p50", "waiting_p90", "longest_queue"):
        band = getattr(prediction, name)
        found |= {name: round(band.value, 1), f"{name}_low": round(band.low, 1), f"{name}_high": round(band.high, 1)}
    found["queue_by_hour"] = [
        {"hour": hour, "waiting": round(band.value, 2), "low": round(band.low, 2), "high": round(band.high, 2)}
        for hour, band in enumerate(prediction.queue_by_hour)
    ]
    return found


def was_on_roster(past: Past, operator_id: int) -> bool:
    return any(one.name == "weight" and one.operator_id == operator_id and one.value for one in past.settings)
