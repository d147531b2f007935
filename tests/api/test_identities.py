import pytest

from tests import characters


@pytest.fixture
def anna(db):
    asked = {"lead_phone": "+79990000001", "lead_email": "anna@example.com", "by": "key crm_1"}
    return characters.contact(characters.source(), **asked)


@pytest.fixture
def path(anna):
    return f"/api/v1/leads/{anna.lead_id}/identities"


def test_they_are_listed_with_who_added_them(api, anna, path):
    email, phone = api.get(path).json()
    assert list(phone) == [
        "kind", "value", "raw", "source_id", "created_at", "id", "is_shared", "added_by", "added_through_source_id",
    ]  # fmt: skip
    assert (phone["value"], phone["added_by"], phone["added_through_source_id"]) == (
        "+79990000001", "key crm_1", anna.source_id,
    )  # fmt: skip
    assert email["value"] == "anna@example.com"


def test_the_export_has_the_same(api, anna, path):
    assert api.get(f"/api/v1/leads/{anna.lead_id}/export").json()["identities"] == api.get(path).json()


def test_one_is_detached(api, anna, path):
    email, phone = api.get(path).json()
    answer = api.delete(f"{path}/{phone['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get(path).json() == [email]
    assert api.get(f"/api/v1/leads/{anna.lead_id}").json()["phone"] is None
    refused = api.delete(f"{path}/{email['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_identity")


def test_one_is_marked_as_shared_and_as_of_one_person_again(api, anna, path):
    _email, phone = api.get(path).json()
    marked = api.patch(f"{path}/{phone['id']}", {"is_shared": True})
    assert (marked.status_code, marked.json()) == (200, phone | {"is_shared": True})
    other = characters.contact(characters.source(), lead_phone="+79990000001")
    assert other.lead_id != anna.lead_id
    refused = api.patch(f"{path}/{phone['id']}", {"is_shared": False})
    assert (refused.status_code, refused.json()["code"]) == (409, "shared_by_others")
    api.post(f"/api/v1/leads/{anna.lead_id}/merge", {"lead_id": other.lead_id})
    assert api.patch(f"{path}/{phone['id']}", {"is_shared": False}).json() == phone


@pytest.mark.parametrize("body", [{}, {"is_shared": None}, {"is_shared": "perhaps"}])
def test_a_change_must_say_what_to_change(api, path, body):
    _email, phone = api.get(path).json()
    answer = api.patch(f"{path}/{phone['id']}", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "is_shared")


def test_what_is_not_there_is_a_404(api, anna, path):
    other = characters.contact(characters.source())
    foreign = other.lead.identities.get().pk
    for wrong in (f"{path}/{foreign}", f"{path}/999999", f"/api/v1/leads/999999/identities/{foreign}"):
        assert api.delete(wrong).status_code == 404
        assert api.patch(wrong, {"is_shared": True}).status_code == 404
    assert api.get("/api/v1/leads/999999/identities").status_code == 404


def test_an_erased_lead_has_none(api, anna, path):
    _email, phone = api.get(path).json()
    api.post(f"/api/v1/leads/{anna.lead_id}/erase")
    assert api.get(path).json() == []
    assert api.delete(f"{path}/{phone['id']}").json()["code"] == "erased"
