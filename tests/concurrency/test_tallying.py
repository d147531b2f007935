"""Several workers find out at once that the clock was ahead: the tallies are made again, each hour once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from routing import fairness, tallies
from routing.models import Tally, Upkeep
from tests import characters
from tests.concurrency.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def contacts_each_hour(source, hours):
    for hour in range(hours):
        with time_machine.travel(NOW + hour * HOUR):
            characters.contact(source)


@pytest.mark.parametrize("run", range(4 if characters.ON_POSTGRESQL else 2))
def test_workers_that_go_back_together_tally_all_and_nothing_twice(run):
    anna = characters.operator("Anna", limit=100)
    contacts_each_hour(characters.source(roster={anna: 10}), hours=12)
    tallies.tally_hours(now=NOW + 365 * 24 * HOUR)
    later = NOW + 12 * HOUR
    together(*[lambda: tallies.tally_hours(now=later)] * 4)
    assert Upkeep.objects.get().tallied_until == NOW + 11 * HOUR
    assert list(Tally.objects.order_by("hour").values_list("assigned", flat=True)) == [1] * 12
    assert [share.assigned for share in fairness.shares(None, None, None)] == [12]
