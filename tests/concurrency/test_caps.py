"""No cap is exceeded, however many bots write at once. The control shows that the test can fail."""

from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine

from leads import batch
from operators.models import Operator
from routing import assignment, clock, operator_actions
from tests import characters
from tests.concurrency.test_limits import bot_writes, look_without_locking
from tests.concurrency.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

TWENTY_PAST = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock_in_the_middle_of_an_hour():
    with time_machine.travel(TWENTY_PAST) as traveller:
        yield traveller


def test_24_bots_give_nobody_more_than_the_caps():
    team = [characters.operator(str(cap), limit=100, max_per_hour=cap, max_per_day=9) for cap in (3, 7, 20)]
    bots = [characters.source(roster=dict.fromkeys(team, 10)) for _ in range(2)]
    together(*[bot_writes(bot, 2) for bot in bots for _ in range(12)])
    assert [characters.load(member) for member in team] == [3, 7, 9]
    assert characters.findings() == []


def test_batches_single_contacts_and_hand_overs_at_once_keep_the_cap():
    anna, leaving = characters.operator("Anna", limit=100, max_per_hour=8), characters.operator("Leaving", limit=4)
    bot = characters.source(roster={leaving: 10})
    for _ in range(4):
        characters.contact(bot)
    bot.roster.create(operator=anna, weight=10)
    items = [[{"source_id": bot.pk, "lead_phone": characters.somebody_new()} for _ in range(3)] for _ in range(4)]
    batches = [lambda chunk=chunk: batch.register_contacts(items=chunk) for chunk in items]
    leaves = [lambda: operator_actions.hand_over(operator_id=leaving.pk)]
    together(*batches, *leaves, *[lambda: characters.contact(bot)] * 6)
    assert characters.load(anna) == 8
    assert characters.findings() == []


def contacts_under_a_cap_of_two(threads):
    anna = characters.operator(limit=100, max_per_hour=2)
    sources = [characters.source(roster={anna: 10}) for _ in range(threads)]
    together(*[lambda source=source: characters.contact(source) for source in sources])
    return characters.load(anna)


def test_a_cap_of_two_lets_two_through():
    assert contacts_under_a_cap_of_two(threads=4) == 2


@pytest.mark.postgresql
def test_what_is_counted_outside_of_the_lock_is_lost(monkeypatch):
    """The control: everybody has looked before anybody takes."""
    monkeypatch.setattr(assignment, "lock_operators", look_without_locking(Barrier(4)))
    assert contacts_under_a_cap_of_two(threads=4) > 2
    assert "not as the history says" in " ".join(characters.findings())


def test_a_cap_that_is_set_while_bots_write_counts_all_of_them():
    anna = characters.operator(limit=100)
    bot = characters.source(roster={anna: 10})
    for _ in range(3):
        characters.contact(bot)
    change = {"max_per_hour": 5}
    together(
        lambda: operator_actions.change_operator(operator_id=anna.pk, changes=change),
        *[lambda: characters.contact(bot)] * 8,
    )
    found = Operator.objects.get(pk=anna.pk)
    assert found.in_hour == characters.load(anna) >= 5
    assert found.capped_until is not None
    assert characters.findings() == []


def test_many_clocks_at_once_give_what_waits_by_the_pace(clock_in_the_middle_of_an_hour):
    anna = characters.operator(limit=100, is_active=False, queue_pace=2)
    bot = characters.source(roster={anna: 10})
    for _ in range(10):
        characters.contact(bot)
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    clock_in_the_middle_of_an_hour.shift(timedelta(seconds=31))
    together(*[clock.tick] * 6)
    assert characters.load(anna) == 2
    assert characters.findings() == []
