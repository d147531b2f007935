import pytest

from leads.models import PossibleDuplicate
from tests import characters


@pytest.fixture
def lead(db):
    contact = characters.contact(characters.source(), lead_phone="+79991234567", lead_name="Anna")
    return contact.lead_id


def test_a_lead_shows_how_to_reach_it(api, lead):
    body = api.get(f"/api/v1/leads/{lead}").json()
    assert list(body) == ["phone", "email", "name", "id", "created_at", "updated_at"]
    assert (body["phone"], body["email"], body["name"], body["id"]) == ("+79991234567", None, "Anna", lead)


def test_a_patch_corrects_what_it_names(api, lead):
    body = api.patch(f"/api/v1/leads/{lead}", {"phone": "8 999 765 43 21", "email": "A@Example.com"}).json()
    assert (body["phone"], body["email"], body["name"]) == ("+79997654321", "a@example.com", "Anna")


def test_the_corrected_number_recognises_and_the_wrong_one_no_longer_does(api, lead):
    api.patch(f"/api/v1/leads/{lead}", {"phone": "+79997654321"})
    assert characters.contact(characters.source(), lead_phone="+79997654321").lead_id == lead
    assert characters.contact(characters.source(), lead_phone="+79991234567").lead_id != lead


def test_somebody_elses_number_is_a_conflict_and_marks_the_pair(api, lead):
    other = characters.contact(characters.source(), lead_phone="+79997654321").lead_id
    answer = api.patch(f"/api/v1/leads/{other}", {"phone": "+79991234567", "name": "Boris"})
    assert (answer.status_code, answer.json()["code"]) == (409, "identity_taken")
    assert answer.json()["errors"][0]["field"] == "phone"
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == (lead, other)
    assert api.get(f"/api/v1/leads/{other}").json()["name"] is None


def test_the_last_identity_cannot_be_taken_away(api, lead):
    answer = api.patch(f"/api/v1/leads/{lead}", {"phone": None})
    assert (answer.status_code, answer.json()["code"]) == (409, "last_identity")
    assert api.get(f"/api/v1/leads/{lead}").json()["phone"] == "+79991234567"


def test_one_of_two_identities_can_be_taken_away(api, lead):
    api.patch(f"/api/v1/leads/{lead}", {"email": "anna@example.com"})
    body = api.patch(f"/api/v1/leads/{lead}", {"phone": None}).json()
    assert (body["phone"], body["email"]) == (None, "anna@example.com")


def test_a_second_number_of_its_own_can_become_the_shown_one(api, lead):
    bot = characters.source()
    characters.contact(bot, lead_phone="+79991234567", lead_email="anna@example.com")
    characters.contact(bot, lead_phone="+79997654321", lead_email="anna@example.com")
    assert api.patch(f"/api/v1/leads/{lead}", {"phone": "+79997654321"}).json()["phone"] == "+79997654321"


def test_every_bad_identity_is_named(api, lead):
    answer = api.patch(f"/api/v1/leads/{lead}", {"phone": "12", "email": "nonsense"})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["phone", "email"]


def test_its_contacts_are_listed_oldest_first(api, lead):
    characters.contact(characters.source(), lead_phone="+79991234567", message="second")
    contacts = api.get(f"/api/v1/leads/{lead}/contacts").json()
    assert [contact["message"] for contact in contacts] == [None, "second"]


@pytest.mark.parametrize("path", ["/api/v1/leads/404", "/api/v1/leads/404/contacts"])
def test_an_unknown_lead_is_a_404(api, path):
    assert api.get(path).status_code == 404
