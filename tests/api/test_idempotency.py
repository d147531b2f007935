import pytest

from routing.models import Contact
from tests import characters


@pytest.fixture
def asked(db):
    return {"source_id": characters.source().pk, "lead_phone": "+79990000001", "message": "Hello"}


def send(api, body, key):
    return api.post("/api/v1/contacts", body, headers={"Idempotency-Key": key})


def test_the_same_key_and_body_again_are_replayed(api, asked):
    first, again = send(api, asked, "k1"), send(api, asked, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ("Idempotent-Replayed" in first.headers, again.headers["Idempotent-Replayed"]) == (False, "true")
    assert Contact.objects.count() == 1


def test_the_same_key_with_another_body_is_422(api, asked):
    send(api, asked, "k1")
    answer = send(api, asked | {"message": "Bye"}, "k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_order_and_unknown_fields_make_no_other_body(api, asked):
    send(api, asked, "k1")
    again = send(api, dict(reversed(asked.items())) | {"attempt": 2}, "k1")
    assert again.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(("given", "same"), [('"k1"', "k1"), (r'"a\"b\\c"', r'a"b\c'), (" k1 ", "k1"), ('"', '"')])
def test_quotes_around_a_key_are_no_part_of_it(api, asked, given, same):
    send(api, asked, given)
    assert Contact.objects.get().idempotency_key == same


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "ключ", "a\tb"])
def test_a_key_that_is_none_is_a_400_and_registers_nothing(api, asked, key):
    answer = send(api, asked, key)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert not Contact.objects.exists()


def test_a_key_of_255_characters_is_taken(api, asked):
    assert send(api, asked, "x" * 255).status_code == 201


def test_a_refused_request_does_not_use_up_its_key(api, asked):
    assert send(api, asked | {"lead_phone": "12"}, "k1").status_code == 400
    assert send(api, asked, "k1").status_code == 201
