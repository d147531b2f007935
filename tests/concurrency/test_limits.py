"""No limit is exceeded, however many bots write at once. Each race has a control that shows the test can fail."""

import threading
from threading import Barrier

import pytest
from rest_framework.test import APIClient

from core.db.compiled import Update
from leads import batch, registration
from operators.load import taking
from operators.models import Operator
from routing import assignment
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import TIMEOUT, together

pytestmark = pytest.mark.django_db(transaction=True)


def bot_writes(source, times):
    """One bot's messages over HTTP; the ids of the operators that answered."""

    def write():
        answers = [
            APIClient().post("/api/v1/contacts", {"source_id": source.pk, "lead_phone": characters.somebody_new()})
            for _ in range(times)
        ]
        assert {answer.status_code for answer in answers} == {201}
        return [answer.json()["operator_id"] for answer in answers]

    return write


def test_144_contacts_from_24_bots_fill_ten_operators_of_five_places_exactly():
    team = [characters.operator(f"Operator {number}", limit=5) for number in range(10)]
    telegram, whatsapp = (
        characters.source(roster={member: 10 * number for number, member in enumerate(team, 1)}) for _ in range(2)
    )
    jobs = [bot_writes(source, 6) for source in (telegram, whatsapp) for _ in range(12)]
    assigned = [operator for chosen in together(*jobs) for operator in chosen if operator]
    assert len(assigned) == 50
    assert [characters.load(member) for member in team] == [5] * 10
    assert characters.findings() == []


def look_without_locking(everybody_has_looked):
    """For the controls: in place of `lock_operators`. Whoever looks first waits for all others' first look."""
    waited = threading.local()

    def look(operator_ids):
        found = {operator.pk: operator for operator in Operator.objects.filter(pk__in=operator_ids)}
        if not hasattr(waited, "once"):
            waited.once = True
            everybody_has_looked.wait(TIMEOUT)
        return found

    return look


def contacts_for_one_place(threads):
    """Registers at once for an operator with one free place; returns how many got it."""
    anna = characters.operator(limit=1)
    sources = [characters.source(roster={anna: 10}) for _ in range(threads)]
    jobs = [lambda source=source: characters.contact(source).operator_id for source in sources]
    return sum(operator is not None for operator in together(*jobs))


@pytest.fixture
def without_hope(monkeypatch):
    """As after a lost race: everybody looks at the locked operator, and only then takes the place."""
    assign = assignment.assign
    monkeypatch.setattr(registration, "assign", lambda *, attempt, **asked: assign(attempt=attempt + 1, **asked))


@pytest.fixture
def without_lock(monkeypatch):
    """Everybody looks before anybody takes."""
    monkeypatch.setattr(assignment, "lock_operators", look_without_locking(Barrier(4)))


def test_one_place_goes_to_one_contact():
    assert contacts_for_one_place(threads=4) == 1


def test_one_place_goes_to_one_contact_also_after_lost_races(without_hope):
    assert contacts_for_one_place(threads=4) == 1


@pytest.mark.postgresql
def test_without_the_condition_one_place_goes_to_several(without_lock, monkeypatch):
    """The control of the first."""
    unconditional = Update(lambda operator_id, source_id, pk: taking(Operator.objects.filter(pk=operator_id)))
    monkeypatch.setattr(assignment, "take_in_turn", lambda one_more, names: unconditional)
    assert contacts_for_one_place(threads=4) > 1
    assert any("above the limit" in finding for finding in characters.findings())


@pytest.mark.postgresql
def test_without_the_lock_one_place_goes_to_several(without_lock, without_hope):
    """The control of the second."""
    assert contacts_for_one_place(threads=4) > 1
    assert any("above the limit" in finding for finding in characters.findings())


def batches_for_five_places(number):
    """So many batches of six at once for one operator with five places, who is returned."""
    anna = characters.operator(limit=5)
    source = characters.source(roster={anna: 10})
    batches = [
        [{"source_id": source.pk, "lead_phone": characters.somebody_new()} for _ in range(6)] for _ in range(number)
    ]
    together(*[lambda items=items: batch.register_contacts(items=items) for items in batches])
    return anna


def test_batches_at_once_keep_the_limit():
    anna = batches_for_five_places(8)
    assert characters.load(anna) == 5
    assert characters.findings() == []


@pytest.mark.postgresql
def test_without_the_lock_batches_exceed_the_limit(monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(assignment, "lock_operators", look_without_locking(Barrier(4)))
    anna = batches_for_five_places(4)
    assert Contact.objects.open().filter(operator=anna).count() > 5


def test_batches_and_single_contacts_at_once_keep_the_limit():
    anna = characters.operator(limit=9)
    source = characters.source(roster={anna: 10})
    items = [[{"source_id": source.pk, "lead_phone": characters.somebody_new()}] * 3 for _ in range(6)]
    batches = [lambda chunk=chunk: batch.register_contacts(items=chunk) for chunk in items]
    together(*batches, *[lambda: characters.contact(source)] * 12)
    assert characters.load(anna) == 9
    assert characters.findings() == []
