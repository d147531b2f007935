import pytest

from leads.models import Lead
from routing.models import Contact
from tests import characters


@pytest.fixture
def anna(db):
    return characters.operator(limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def post(api, bot, **body):
    return api.post("/api/v1/contacts", {"source_id": bot.pk, **body})


@pytest.mark.parametrize(
    "person",
    [{"lead_phone": "8 999 123-45-67"}, {"lead_email": "anna@example.com"}, {"lead_external_id": "chat-42"}],
)
def test_any_one_identity_is_enough(api, bot, person):
    assert post(api, bot, **person).status_code == 201


@pytest.mark.parametrize(
    "nobody", [{}, {"lead_phone": None}, {"lead_phone": " ", "lead_email": ""}, {"lead_name": "Anna"}]
)
def test_somebody_without_any_identity_is_a_400(api, bot, nobody):
    answer = post(api, bot, **nobody)
    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == ["required"] * 3
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source_id": 10**30, "lead_phone": "+79991234567"}, "source_id"),
        ({"lead_phone": "12"}, "lead_phone"),
        ({"lead_phone": "call me"}, "lead_phone"),
        ({"lead_phone": "+" + "7" * 20}, "lead_phone"),
        ({"lead_email": "nonsense"}, "lead_email"),
        ({"lead_email": "a\0b@example.com"}, "lead_email"),
        ({"lead_phone": "+79991234567", "lead_name": "x" * 256}, "lead_name"),
        ({"lead_external_id": "x" * 201}, "lead_external_id"),
    ],
)
def test_what_cannot_be_right_is_a_400_that_names_the_field(api, bot, body, field):
    answer = post(api, bot, **body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Contact.objects.exists()


def test_a_lone_surrogate_in_an_identity_is_a_400(api, bot):
    body = f'{{"source_id": {bot.pk}, "lead_phone": "+79991234567", "lead_external_id": "\\ud800"}}'
    answer = api.generic("POST", "/api/v1/contacts", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "lead_external_id"


def test_a_phone_may_have_fifty_characters(api, bot):
    longest = "+7 (495) 123-45-67, добавочный: 12345678901234567"
    assert post(api, bot, lead_phone=longest).status_code == 201
    assert post(api, bot, lead_phone=longest.rjust(51)).status_code == 201
    assert post(api, bot, lead_phone=longest.replace(", ", ",   ")).json()["errors"][0]["code"] == "max_length"


def test_an_unknown_source_is_a_404(api):
    assert api.post("/api/v1/contacts", {"source_id": 404, "lead_phone": "+79991234567"}).status_code == 404


def test_a_message_comes_back_as_it_was_given(api, bot):
    assert post(api, bot, lead_phone="+79991234567", message="  hi \n").json()["message"] == "  hi \n"


def test_patch_resolves_and_reopens_and_corrects(api, bot, anna):
    path = f"/api/v1/contacts/{characters.contact(bot).pk}"
    assert api.patch(path, {"is_resolved": True}).json()["assignment"]["status"] == "resolved"
    assert characters.load(anna) == 0
    reopened = api.patch(path, {"is_resolved": False, "message": "corrected"}).json()
    assert (reopened["operator_id"], reopened["message"], reopened["is_resolved"]) == (anna.pk, "corrected", False)


def test_resolving_by_its_own_address_may_be_repeated(api, bot, anna):
    path = f"/api/v1/contacts/{characters.contact(bot).pk}/resolve"
    assert [api.post(path).status_code for _ in range(2)] == [200, 200]
    assert characters.load(anna) == 0


@pytest.mark.parametrize("call", ["resolve", "reopen"])
def test_an_unknown_contact_is_a_404(api, call):
    assert api.post(f"/api/v1/contacts/404/{call}").status_code == 404


def test_registering_costs_a_known_number_of_statements(api, django_assert_num_queries):
    """Begin, find, lock, store, commit. SQLite reads identities and roster one by one, and so stores place, contact and
    history, and of a new person lead and identity."""
    bot = characters.source(roster={characters.operator(): 10})
    with django_assert_num_queries(5 if characters.ON_POSTGRESQL else 10):
        post(api, bot, lead_phone="+79991234567")
    with django_assert_num_queries(5 if characters.ON_POSTGRESQL else 8):
        post(api, bot, lead_phone="+79991234567")
