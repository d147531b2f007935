import json

import pytest

from routing.models import Contact
from tests import characters


@pytest.fixture
def bot(db):
    return characters.source(roster={characters.operator(limit=3): 10}).pk


@pytest.fixture
def post(api):
    def send(*items):
        body = json.dumps({"contacts": items})  # in ASCII, so that halves of characters can be sent
        return api.post("/api/v1/contacts/batch", body, content_type="application/json")

    return send


def item(bot, **fields):
    return {"source_id": bot, "lead_phone": characters.somebody_new()} | fields


def test_each_item_has_its_own_result_in_order(post, bot):
    wrong: list[dict[str, object]] = [
        {"lead_phone": "12"},
        {"source_id": "x"},
        {"lead_phone": None},
        {"lead_phone": "\ud800"},
        {"message": []},
    ]
    results = post(
        item(bot), *[item(bot, **fields) for fields in wrong], item(10**6), "nonsense", None, item(bot)
    ).json()["results"]
    assert [result["index"] for result in results] == list(range(10))
    assert [result["status"] for result in results] == [201, 400, 400, 400, 400, 400, 404, 400, 400, 201]
    assert [error["field"] for error in results[1]["error"]["errors"]] == ["lead_phone"]
    assert Contact.objects.count() == 2


def test_a_result_is_the_contact_as_for_a_single_one(api, post, bot):
    [result] = post(item(bot)).json()["results"]
    assert result == {
        "index": 0,
        "status": 201,
        "contact": api.get(f"/api/v1/contacts/{result['contact']['id']}").json(),
    }


def test_who_waits_knows_the_place_in_the_queue(post, bot):
    results = post(*[item(bot) for _ in range(5)]).json()["results"]
    assert [result["contact"]["assignment"]["position"] for result in results] == [None, None, None, 1, 2]


def test_keys_of_a_batch_are_those_of_single_contacts(api, post, bot):
    asked = item(bot)
    first = api.post("/api/v1/contacts", asked, headers={"Idempotency-Key": "k1"}).json()
    again, other = post(asked | {"idempotency_key": "k1"}, item(bot, idempotency_key="k1")).json()["results"]
    assert (again["status"], again["contact"], again["replayed"]) == (201, first, True)
    assert (other["status"], other["error"]["code"]) == (422, "idempotency_key_reused")


def test_a_batch_of_501_is_refused_as_a_whole(post, bot):
    answer = post(*[item(bot)] * 501)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "contacts")
    assert not Contact.objects.exists()


@pytest.mark.parametrize("body", [{}, [], {"contacts": None}, {"contacts": {}}, {"contacts": "x"}])
def test_what_is_no_batch_is_refused(api, db, body):
    assert api.post("/api/v1/contacts/batch", body).status_code == 400


def test_an_empty_batch_is_answered_with_nothing(post, db):
    assert post().json() == {"results": []}


def test_a_batch_costs_few_statements(post, bot, django_assert_max_num_queries):
    with django_assert_max_num_queries(40):
        post(*[item(bot) for _ in range(50)])
