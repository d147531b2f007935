"""Why nothing was predicted, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from operators.models import Operator
from routing.models import WhatIf

SENTENCES = {
    "no_contacts": gettext_lazy(
        "Nobody was assigned a contact of this source in this period, so nothing can be replayed."
    ),
    "too_many": gettext_lazy("%(contacts)s contacts came in this period; at most %(most)s can be replayed."),
    "failed": gettext_lazy("It could not be computed. The log says why."),
    "cancelled": gettext_lazy("It was cancelled."),
}
MOST_NAMED = 3


def reason_text(run: WhatIf) -> str | None:
    """One or more sentences in the active language; None if nothing was refused."""
    if run.reason is None:
        return None
    code: str = run.reason["code"]
    if code == "not_reproduced":
        return not_reproduced(run.reason["differences"])
    return str(SENTENCES[code]) % {**run.reason}


def not_reproduced(differences: list[dict[str, Any]]) -> str:
    """What differs most comes first."""
    ranked = sorted(differences, key=lambda one: (isinstance(one["of"], str), -distance(one)))[:MOST_NAMED]
    ids = [one["of"] for one in ranked if not isinstance(one["of"], str)]
    names = dict(Operator.objects.filter(pk__in=ids).values_list("pk", "name"))
    beginning = _("The replay with what was set then does not give what really happened, so nothing is predicted.")
    return " ".join([beginning, *(difference(one, names) for one in ranked)])


def distance(one: Mapping[str, Any]) -> float:
    return max(float(one["low"] - one["was"]), float(one["was"] - one["high"]), 0.0)


def difference(one: Mapping[str, Any], names: Mapping[int, str]) -> str:
    if one["of"] == "waiting_p50":
        words = _("Half of all contacts waited at most %(was)s seconds, in the replay %(low)s to %(high)s.")
    elif one["of"] == "waiting_p90":
        words = _("9 of 10 contacts waited at most %(was)s seconds, in the replay %(low)s to %(high)s.")
    else:
        words = _("%(name)s got %(was)s%% of the contacts, in the replay %(low)s to %(high)s%%.")
    factor, digits = (1, 0) if isinstance(one["of"], str) else (100, 1)
    numbers = {name: f"{one[name] * factor:.{digits}f}" for name in ("was", "low", "high")}
    return words % {"name": names.get(one["of"], one["of"]), **numbers}
