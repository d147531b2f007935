"""A number where text is wanted is its digits, or refused: never other digits."""

import pytest

from leads.models import Identity
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.once  # bodies, sentences and headers are the same on both databases


@pytest.fixture
def post(api, db):
    """Registers one contact with these members of a JSON object, in a call of its own or in a batch."""
    bot = characters.source()

    def post(members, *, batch):
        item = f'{{"source_id": {bot.pk}, {members}}}'
        body, path = (f'{{"contacts": [{item}]}}', "/batch") if batch else (item, "")
        answer = api.generic("POST", f"/api/v1/contacts{path}", body, content_type="application/json").json()
        return answer["results"][0]["status"] if batch else answer.get("status", 201)

    return post


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    ("members", "value"),
    [
        ('"lead_phone": 380501234567', "+380501234567"),
        ('"lead_phone": 380501234567.0', "+380501234567"),
        ('"lead_phone": 3.80501234567e11', "+380501234567"),
        ('"lead_phone": "380501234567.0"', "+380501234567"),
        ('"lead_phone": "+380501234567.0"', "+380501234567"),
        ('"lead_phone": "3.80501234567E+11"', "+380501234567"),
        ('"lead_external_id": 123456789', "123456789"),
        ('"lead_external_id": 123456789.0', "123456789"),
        ('"lead_external_id": 1.23456789e8', "123456789"),
        ('"lead_external_id": "123456789.0"', "123456789"),
        ('"lead_external_id": 9007199254740993', "9007199254740993"),
        ('"lead_external_id": -1001234567890', "-1001234567890"),
        ('"lead_external_id": "5.10"', "5.10"),
        ('"lead_external_id": "12e5"', "12e5"),
    ],
)
def test_a_whole_number_is_its_digits(post, batch, members, value):
    assert post(members, batch=batch) == 201
    assert Identity.objects.get().value == value


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(
    "members",
    [
        '"lead_phone": 79991234567.5',
        '"lead_phone": 1e300',
        '"lead_phone": 1e999',
        '"lead_phone": "79991234567.5"',
        '"lead_phone": "3.80501E+11"',
        '"lead_external_id": 1.5',
        '"lead_external_id": 9007199254740993.0',
        '"lead_external_id": "1.23457E+09"',
        '"lead_external_id": true',
    ],
)
def test_any_other_number_is_a_400(post, batch, members):
    assert post(members, batch=batch) == 400
    assert not Contact.objects.exists()


@pytest.mark.parametrize(("given", "name"), [("7", "7"), ("7.0", "7"), ("7.5", None), ('"7.0"', "7.0")])
def test_so_are_names(api, given, name):
    body = f'{{"name": {given}, "max_load": 5}}'
    answer = api.generic("POST", "/api/v1/operators", body, content_type="application/json")
    assert answer.json().get("name") == name


def test_the_same_number_written_otherwise_is_the_same_request(api, db):
    bot = characters.source()
    bodies = (f'{{"source_id": {bot.pk}, "lead_external_id": {number}}}' for number in ("7", "7.0", '"7"'))
    answers = [
        api.generic("POST", "/api/v1/contacts", body, "application/json", headers={"Idempotency-Key": "k"})
        for body in bodies
    ]
    assert {answer.json()["id"] for answer in answers} == {Contact.objects.get().pk}
