"""Many operators who are paced, for all of whom older contacts wait: what is given back or taken away goes to none."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from core import retry
from core.errors import Conflict
from operators.models import Operator
from routing import lifecycle, taking, time_outs
from routing.models import Contact, Source
from tests import characters

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SOON = timedelta(seconds=60)


@pytest.fixture
def now():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def newer(now):
    """Anna has it. An older one waits for the many others, whose pace does not allow it yet."""
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    Source.objects.update(accept_within=60)
    Operator.objects.update(is_active=False)
    older = characters.contact(bot)
    Operator.objects.update(is_active=True, paced_until=NOW + SOON)
    newer = characters.contact(bot)
    lifecycle.give_contact(contact_id=newer.pk, operator_id=anna.pk)
    crowd = Source.objects.get(pk=bot.pk)
    for number in range(2 * retry.ATTEMPTS):
        other = characters.operator(f"Boris {number}", paced_until=NOW + SOON)
        crowd.roster.create(operator=other, weight=10)
    assert Contact.objects.waiting().get() == older
    return Contact.objects.get(pk=newer.pk)


def test_what_is_declined_waits_behind_the_older_one(newer):
    assert taking.decline_contact(contact_id=newer.pk).waiting_reason == Contact.Waiting.RETURNED


def test_what_is_not_taken_in_time_waits_behind_the_older_one(now, newer):
    assert time_outs.time_out_contact(contact_id=newer.pk, now=NOW + SOON)
    assert Contact.objects.get(pk=newer.pk).operator is None


def test_nobody_else_is_free_for_it(newer):
    with pytest.raises(Conflict, match="No other operator is free"):
        lifecycle.reroute_contact(contact_id=newer.pk)
