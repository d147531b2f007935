"""No limit is exceeded, however many bots write at once. Each race has a control that shows the test can fail."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from rest_framework.test import APIClient

from leads import invariants
from operators import places
from operators.models import Operator
from tests import characters
from tests.concurrency.threads import together

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
    assert list(invariants.findings()) == []


def contacts_for_one_place(threads):
    """Registers at once for an operator with one free place; returns how many got it."""
    anna = characters.operator(limit=1)
    sources = [characters.source(roster={anna: 10}) for _ in range(threads)]
    jobs = [lambda source=source: characters.contact(source).operator_id for source in sources]
    return sum(operator is not None for operator in together(*jobs))


def test_one_place_goes_to_one_contact():
    assert contacts_for_one_place(threads=4) == 1


@pytest.mark.postgresql
def test_without_the_lock_one_place_goes_to_several(monkeypatch):
    """The control: everybody looks, then everybody takes."""
    everybody_has_looked = Barrier(4)

    def look_without_locking(operator_ids):
        found = {operator.pk: operator for operator in Operator.objects.filter(pk__in=operator_ids)}
        with suppress(BrokenBarrierError):  # somebody looks a second time, when the others have finished
            everybody_has_looked.wait(5)
        return found

    monkeypatch.setattr(places, "lock", look_without_locking)
    assert contacts_for_one_place(threads=4) > 1
    assert any("above the limit" in finding for finding in invariants.findings())
