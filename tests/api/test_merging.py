import pytest

from leads import merging
from leads.models import PossibleDuplicate
from tests import characters


@pytest.fixture
def bot(db):
    return characters.source()


@pytest.fixture
def anna(bot):
    return characters.contact(bot, lead_phone="+79990000001", lead_name="Anna").lead_id


@pytest.fixture
def ann(bot):
    return characters.contact(bot, lead_phone=None, lead_email="ann@example.com").lead_id


@pytest.fixture
def merged(api, anna, ann):
    return api.post(f"/api/v1/leads/{anna}/merge", {"lead_id": ann})


def test_a_merge_answers_with_the_survivor(merged, anna):
    body = merged.json()
    assert list(body) == ["phone", "email", "name", "id", "created_at", "updated_at"]
    assert (merged.status_code, body["id"], body["phone"], body["email"]) == (
        200,
        anna,
        "+79990000001",
        "ann@example.com",
    )


def test_a_merged_leads_id_answers_with_the_survivor(api, merged, anna, ann):
    body = api.get(f"/api/v1/leads/{ann}").json()
    assert (body["id"], body["merged_into"]) == (anna, anna)
    assert len(api.get(f"/api/v1/leads/{ann}/contacts").json()) == 2
    assert len(api.get("/api/v1/contacts", {"lead_id": ann}).json()["results"]) == 2


def test_correcting_a_merged_lead_corrects_the_survivor(api, merged, anna, ann):
    body = api.patch(f"/api/v1/leads/{ann}", {"name": "Anna P."}).json()
    assert (body["name"], body["merged_into"]) == ("Anna P.", anna)


def test_undoing_answers_with_the_lead_as_it_was(api, anna, ann):
    before = [api.get(f"/api/v1/leads/{lead}").json() for lead in (anna, ann)]
    api.post(f"/api/v1/leads/{anna}/merge", {"lead_id": ann})
    assert api.post(f"/api/v1/leads/{ann}/unmerge").json() == before[1]
    assert [api.get(f"/api/v1/leads/{lead}").json() for lead in (anna, ann)] == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"lead_id": 10**6}, 404, "not_found"),
        ({"lead_id": "x"}, 400, "invalid"),
        ([], 400, "invalid"),
    ],
)
def test_a_merge_with_nobody_is_refused(api, anna, body, status, code):
    answer = api.post(f"/api/v1/leads/{anna}/merge", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_merge_with_itself_and_undoing_none_are_conflicts(api, anna):
    assert api.post(f"/api/v1/leads/{anna}/merge", {"lead_id": anna}).json()["code"] == "same_lead"
    assert api.post(f"/api/v1/leads/{anna}/unmerge").json()["code"] == "not_merged"


def test_possible_duplicates_are_listed_until_they_are_decided(api, bot, anna, ann):
    characters.contact(bot, lead_phone="+79990000001", lead_email="ann@example.com")
    [pair] = api.get("/api/v1/leads/duplicates").json()["results"]
    assert (pair["lead"]["id"], pair["other"]["id"]) == (anna, ann)
    merging.merge_leads(lead_id=anna, other_id=ann)
    assert api.get("/api/v1/leads/duplicates").json()["results"] == []
    merging.unmerge_lead(lead_id=anna)
    assert api.post(f"/api/v1/leads/duplicates/{pair['id']}/dismiss").status_code == 204
    assert api.get("/api/v1/leads/duplicates").json()["results"] == []
    assert PossibleDuplicate.objects.count() == 1


def test_a_list_of_duplicates_costs_the_same_however_long(api, bot, django_assert_max_num_queries):
    for _ in range(5):
        phone = characters.somebody_new()
        characters.contact(bot, lead_phone=phone)
        characters.contact(bot, lead_phone=None, lead_external_id=phone)
        characters.contact(bot, lead_phone=phone, lead_external_id=phone)
    with django_assert_max_num_queries(3):
        assert len(api.get("/api/v1/leads/duplicates").json()["results"]) == 5


def test_an_erased_lead_answers_with_nothing(api, anna):
    body = api.post(f"/api/v1/leads/{anna}/erase").json()
    assert (body["id"], body["phone"], body["email"], body["name"]) == (anna, None, None, None)
    assert api.patch(f"/api/v1/leads/{anna}", {"name": "Anna"}).json()["code"] == "erased"
    assert api.get("/api/v1/leads").json()["results"] == []


def test_an_export_tells_everything(api, merged, anna, ann):
    body = api.get(f"/api/v1/leads/{ann}/export").json()
    assert list(body) == ["lead", "identities", "former_names", "contacts", "merged", "merges", "possible_duplicates"]
    assert [identity["kind"] for identity in body["identities"]] == ["phone", "email"]
    assert [contact["history"][0]["what"] for contact in body["contacts"]] == ["registered"] * 2
    assert [(merge["survivor_id"], merge["merged_id"]) for merge in body["merges"]] == [(anna, ann)]


@pytest.mark.parametrize("verb", ["merge", "unmerge", "erase"])
def test_nobody_unknown_is_changed(api, db, verb):
    assert api.post(f"/api/v1/leads/1/{verb}", {"lead_id": 2}).status_code == 404


def test_nobody_unknown_is_exported(api, db):
    assert api.get("/api/v1/leads/1/export").status_code == 404
