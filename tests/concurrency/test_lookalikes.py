"""Two spellings of one subscriber that arrive at the same moment are two leads, marked as a possible duplicate."""

from threading import Barrier

import pytest

from leads import batch, lead_matching, possible_duplicates, registration
from leads.models import Lead, PossibleDuplicate
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

MOBILE, ABROAD = "+541123456789", "+5491123456789"


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def both_have_read(monkeypatch):
    """Neither transaction writes before the other has looked for the leads."""
    barrier = Barrier(2)

    def then_wait(function):
        def call(*args, **kwargs):
            found = function(*args, **kwargs)
            barrier.wait(60)
            return found

        return call

    monkeypatch.setattr(registration, "find", then_wait(registration.find))
    monkeypatch.setattr(lead_matching, "lock_owners", then_wait(lead_matching.lock_owners))


def register(bot, phone):
    return lambda: characters.contact(bot, lead_phone=phone)


def register_batch(bot, phone):
    return lambda: batch.register_contacts(items=[{"source_id": bot.pk, "lead_phone": phone}])


@pytest.mark.usefixtures("both_have_read")
@pytest.mark.parametrize("other", [register, register_batch])
def test_lookalikes_of_the_same_moment_are_marked(bot, other):
    together(register(bot, MOBILE), other(bot, ABROAD))
    leads = tuple(Lead.objects.order_by("pk").values_list("pk", flat=True))
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == leads


@pytest.mark.usefixtures("both_have_read")
def test_without_looking_again_after_the_commit_they_are_not(bot, monkeypatch):
    monkeypatch.setattr(possible_duplicates, "mark_lookalikes", lambda stored: None)
    together(register(bot, MOBILE), register(bot, ABROAD))
    assert not PossibleDuplicate.objects.exists()
