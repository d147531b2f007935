"""The figures at the top of the page *Now*: what waits, what is late, who is overloaded, who is on duty."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin import formatting
from operators.models import Operator
from routing.admin import contact_tabs
from routing.admin.now.operators import is_overloaded
from routing.admin.now.snapshot import Snapshot, fullness
from routing.models import Contact

NAMED = 3  # overloaded operators


@dataclass(frozen=True, slots=True)
class Figure:
    title: str
    number: int
    more: str
    url: str
    is_pressing: bool


def of_contacts(snapshot: Snapshot) -> list[Figure]:
    url = reverse("admin:routing_contact_changelist")
    waiting = sum(queue.waiting for queue in snapshot.queues.values())
    since = min(snapshot.waiting_since.values(), default=None)
    overdue = sum(clocks.overdue for clocks in snapshot.clocks_by_operator.values())
    running = sum(clocks.running for clocks in snapshot.clocks_by_operator.values())
    return [
        Figure(
            _("Waiting"),
            waiting,
            _("the longest for %(age)s") % {"age": formatting.duration_text(snapshot.now - since)} if since else "",
            f"{url}?{urlencode({'status': Contact.Status.WAITING})}",
            waiting > 0,
        ),
        Figure(
            _("Overdue"),
            overdue,
            _("of %(count)s to be taken in time") % {"count": running} if running else "",
            f"{url}?{urlencode({'status': contact_tabs.OVERDUE})}",
            overdue > 0,
        ),
    ]


def of_operators(snapshot: Snapshot) -> list[Figure]:
    on_duty = [one for one in snapshot.operators if one.is_active]
    overloaded = sorted(filter(is_overloaded, on_duty), key=lambda one: (-fullness(one), one.name, one.pk))
    places = sum(one.max_load - one.current_load for one in on_duty if one.obstacle is None)
    return [
        Figure(
            _("At or over the limit"),
            len(overloaded),
            "; ".join(map(load_text, overloaded[:NAMED])) + ("…" if len(overloaded) > NAMED else ""),
            "#operators",
            bool(overloaded),
        ),
        Figure(
            _("Operators on duty"),
            len(on_duty),
            ngettext("%(count)d free place", "%(count)d free places", places) % {"count": places},
            f"{reverse('admin:operators_operator_changelist')}?is_active__exact=1",
            places == 0,
        ),
    ]


def load_text(operator: Operator) -> str:
    words = _("%(load)s of %(limit)s") % {"load": operator.current_load, "limit": operator.max_load}
    return f"{operator}: {words}"
