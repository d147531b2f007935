"""What was committed is answered as such, however the assigning of waiting contacts after it fails."""

import pytest
from django.db import DatabaseError, OperationalError

from core.errors import Busy
from operators.models import Operator
from routing import queue, waiting
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)

FAILURES = [OperationalError("gone"), DatabaseError(), Busy(), ValueError("any"), KeyError("any"), RecursionError()]


@pytest.fixture(params=FAILURES, ids=repr)
def failing(request, monkeypatch):
    """From now on nothing that is done after a commit succeeds."""

    def fail(*_, **__):
        raise request.param

    def begin():
        for module, name in [
            (queue, "assign_oldest"),
            (queue, "serve_ready_members"),
            (queue, "read_roster"),
            (waiting, "oldest_for"),
            (waiting, "SOMEBODY_IS_READY"),
        ]:
            monkeypatch.setattr(module, name, fail)

    return begin


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def taken(bot):
    return characters.contact(bot)


@pytest.fixture
def queued(bot, taken):
    return characters.contact(bot)


def test_a_registration_is_a_201(failing, api, bot, queued):
    failing()
    answer = api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()}, "json")
    assert answer.status_code == 201
    assert Contact.objects.filter(pk=answer.json()["id"]).exists()


def test_a_batch_is_stored(failing, api, bot, queued):
    failing()
    contacts = [{"source_id": bot.pk, "lead_phone": characters.somebody_new()}]
    answer = api.post("/api/v1/contacts/batch", {"contacts": contacts}, "json")
    assert answer.status_code < 300
    assert Contact.objects.count() == 3


@pytest.mark.parametrize(
    ("verb", "body"),
    [("resolve", {}), ("reassign", {"operator_id": None}), ("", {"is_resolved": True})],
    ids=["resolve", "return", "patch"],
)
def test_a_change_of_a_contact_is_a_200(failing, api, taken, queued, verb, body):
    failing()
    url = f"/api/v1/contacts/{taken.pk}" + (f"/{verb}" if verb else "")
    answer = (api.post if verb else api.patch)(url, body, "json")
    assert answer.status_code == 200
    taken.refresh_from_db()
    assert taken.is_resolved or taken.operator is None


def test_a_change_of_an_operator_is_a_200(failing, api, anna, queued):
    failing()
    assert api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 5}, "json").status_code == 200
    assert Operator.objects.get().max_load == 5


def test_a_change_of_a_roster_is_stored(failing, api, bot, queued):
    boris = characters.operator("Boris")
    failing()
    answer = api.post(f"/api/v1/sources/{bot.pk}/operators", {"operator_id": boris.pk, "weight": 20}, "json")
    assert answer.status_code < 300
    assert bot.roster.count() == 2


def test_an_archived_operator_is_a_204(failing, api, anna, queued):
    failing()
    assert api.delete(f"/api/v1/operators/{anna.pk}").status_code < 300
    assert Operator.objects.get().archived_at is not None
