"""What is wrong or will be, beside what the sources and operators of the page show themselves."""

from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from core.admin.live import kept
from core.changes.models import Change
from operators.models import Operator
from routing.admin import calendar, opening_hours
from routing.admin.holes import Hole, operator_holes
from routing.models import Source

SHOWN = 10  # of the hours for which nobody is planned


def list_holes(now: datetime) -> list[Hole]:
    """Faults of operators, then hours of sources for which nobody is planned."""
    planned: list[Hole] = kept("holes", None, newest_change, planned_holes, trusted=0)
    return [*operator_holes(Operator.objects.current()), *planned]


def newest_change() -> int | None:
    """For plans, which take long to read: read again when the configuration has changed, and every minute."""
    found: int | None = Change.objects.aggregate(last=Max("pk"))["last"]
    return found


def planned_holes() -> list[Hole]:
    """The first hole of each source that has some in the next days, the soonest first."""
    holes = calendar.upcoming_holes()
    sources = Source.objects.in_bulk(holes)
    known = [(found[0], sources[pk]) for pk, found in holes.items() if pk in sources]
    return [
        Hole(
            _("%(source)s: nobody is planned on %(interval)s")
            % {"source": source, "interval": opening_hours.interval_text(hole)},
            calendar.hole_url(hole, source),
        )
        for hole, source in sorted(known, key=lambda one: (one[0], one[1].name))[:SHOWN]
    ]
