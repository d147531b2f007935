import pytest

from core import deadline
from core.errors import Busy
from leads import batch
from operators.models import Operator
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db


def test_nothing_is_begun_once_nobody_waits_any_more():
    with deadline.limit_to(0), pytest.raises(Busy):
        characters.run_attempts(lambda attempt: characters.operator())
    assert not Operator.objects.exists()


def test_what_is_left_of_a_batch_when_time_is_over_is_busy(monkeypatch):
    bot = characters.source(roster={characters.operator(limit=100): 10})
    looks = iter([False])  # when the first slice begins; after that time is over
    monkeypatch.setattr(deadline, "has_passed", lambda: next(looks, True))
    items = [{"source_id": bot.pk, "lead_phone": characters.somebody_new()} for _ in range(batch.TOGETHER + 1)]
    *stored, left = batch.register_contacts(items=items)
    assert isinstance(left, Busy)
    assert Contact.objects.count() == len(stored) == batch.TOGETHER


def test_a_call_that_takes_too_long_is_told_to_come_back(api, settings):
    settings.ANSWER_TIMEOUT = 0
    bot = characters.source(roster={characters.operator(): 10})
    answer = api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()})
    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "busy", "1")
    assert not Contact.objects.exists()


def test_commands_take_as_long_as_they_need():
    assert not deadline.has_passed()
