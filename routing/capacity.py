"""The number of contacts that operators could take now."""

from django.db.models import F, Sum

from operators.models import Operator
from routing.models import RosterEntry


def free_places() -> int:
    """Free places of all operators who are on duty and below their limit."""
    places: int = Operator.objects.free().aggregate(sum=Sum(F("max_load") - F("current_load"), default=0))["sum"]
    return places


def capped_operators() -> int:
    """Operators on duty who have had enough for this hour or day."""
    return Operator.objects.current().filter(is_active=True, capped_until__isnull=False).count()


def free_places_by_source() -> dict[int, int]:
    """Free places by source id, for sources that have any. An operator counts once for each of its sources."""
    free = RosterEntry.objects.current().filter(operator__in=Operator.objects.free())
    places = Sum(F("operator__max_load") - F("operator__current_load"))
    return dict(free.order_by().values("source").annotate(places=places).values_list("source", "places"))
