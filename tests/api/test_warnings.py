"""`warnings` in every contact: what was wrong with the input of a contact that was registered all the same."""

import pytest

from tests import characters

EMAIL = "anna@example.com"


@pytest.fixture
def bot(db):
    return characters.source(roster={characters.operator(): 10})


@pytest.fixture
def post(api, bot):
    def post(**body):
        return api.post("/api/v1/contacts", {"source_id": bot.pk, **body})

    return post


def test_a_contact_with_nothing_wrong_has_an_empty_list(post):
    assert post(lead_email=EMAIL).json()["warnings"] == []


def test_a_warning_has_field_code_and_a_sentence(post):
    answer = post(lead_phone="call me", lead_email=EMAIL)
    assert answer.status_code == 201
    [warning] = answer.json()["warnings"]
    assert list(warning) == ["field", "code", "detail"]
    assert (warning["field"], warning["code"]) == ("lead_phone", "unreadable")
    assert warning["detail"] == "“call me” cannot be a phone number. It is kept with the contact."


@pytest.mark.parametrize(
    ("field", "bad", "code"),
    [
        ("lead_email", "ivan@", "unreadable"),
        ("lead_external_id", "x" * 201, "unreadable"),
        ("lead_external_id", "undefined", "placeholder"),
        ("lead_email", "{{ email }}", "placeholder"),
        ("lead_name", "${name}", "placeholder"),
        ("lead_name", "a\0b", "replaced"),
        ("message", "a\0b", "replaced"),
        ("message", "я" * 65_537, "cut"),
    ],
)
def test_every_warning_has_a_sentence(post, field, bad, code):
    [warning] = post(**{"lead_phone": "+79991234567", field: bad}).json()["warnings"]
    assert (warning["field"], warning["code"]) == (field, code)
    assert warning["detail"].endswith(".")


def test_every_answer_with_this_contact_has_them(api, post):
    contact = post(lead_phone="call me", lead_email=EMAIL).json()
    path = f"/api/v1/contacts/{contact['id']}"
    answers = [
        api.get(path).json(),
        api.get("/api/v1/contacts").json()["results"][0],
        api.get(f"/api/v1/leads/{contact['lead_id']}/contacts").json()[0],
        api.get(f"/api/v1/leads/{contact['lead_id']}/export").json()["contacts"][0],
        api.post(f"{path}/resolve").json(),
        api.post(f"{path}/reopen").json(),
        api.post(f"{path}/reassign", {"operator_id": None}).json(),
        api.patch(path, {"message": "Hi"}).json(),
    ]
    assert [answer["warnings"] for answer in answers] == [contact["warnings"]] * len(answers)


def test_a_batch_tells_them_for_each_contact(api, bot):
    items = [{"source_id": bot.pk, "lead_email": EMAIL, "lead_phone": phone} for phone in ("12", None)]
    results = api.post("/api/v1/contacts/batch", {"contacts": items}).json()["results"]
    assert [[one["code"] for one in result["contact"]["warnings"]] for result in results] == [["unreadable"], []]


def test_a_repeated_request_is_told_the_same(api, bot):
    body = {"source_id": bot.pk, "lead_phone": "call me", "lead_email": EMAIL}
    first, again = (api.post("/api/v1/contacts", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.json()["warnings"] == again.json()["warnings"] != []


def test_half_a_surrogate_pair_in_a_message_is_replaced(api, bot):
    body = f'{{"source_id": {bot.pk}, "lead_email": "{EMAIL}", "message": "\\ud83d \\ud83d\\udc4d"}}'
    answer = api.generic("POST", "/api/v1/contacts", body, content_type="application/json").json()
    assert (answer["message"], answer["warnings"][0]["code"]) == ("\ufffd 👍", "replaced")


def test_a_source_says_what_happens_to_unreadable_phones(api, bot, post):
    path = f"/api/v1/sources/{bot.pk}"
    assert post(lead_phone="user 17").status_code == 400
    assert api.patch(path, {"unreadable_phones": "keep"}).json()["unreadable_phones"] == "keep"
    answer = post(lead_phone="user 17")
    assert (answer.status_code, answer.json()["warnings"][0]["field"]) == (201, "lead_phone")


@pytest.mark.parametrize("field", ["unreadable_phones", "phone_format"])
@pytest.mark.parametrize("wrong", ["maybe", "", None, 1])
def test_settings_that_do_not_exist_are_refused(api, field, wrong):
    answer = api.post("/api/v1/sources", {"name": "Bot", field: wrong})
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_source_may_write_whole_numbers(api, bot, post):
    created = api.post("/api/v1/sources", {"name": "WhatsApp", "phone_format": "international"}).json()
    assert created["phone_format"] == "international"
    whatsapp = post(source_id=created["id"], lead_phone="81234567890").json()
    telegram = post(lead_phone="8 (123) 456-78-90").json()
    phones = [api.get(f"/api/v1/leads/{contact['lead_id']}").json()["phone"] for contact in (whatsapp, telegram)]
    assert phones == ["+81234567890", "+71234567890"]
