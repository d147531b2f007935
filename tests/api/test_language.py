"""Sentences answer in the language of `Accept-Language`; codes and titles never change."""

import re

import pytest
from django.test import Client

from core import errors
from tests import characters

pytestmark = pytest.mark.once  # bodies, sentences and headers are the same on both databases

RUSSIAN = {"headers": {"Accept-Language": "ru"}}
ENGLISH = {"headers": {"Accept-Language": "en-GB,en;q=0.9,ru;q=0.5"}}


@pytest.mark.parametrize(
    ("path", "english", "russian"),
    [
        ("operators/999", "Operator 999 does not exist.", "Оператор 999 не найден."),
        ("sources/999", "Source 999 does not exist.", "Источник 999 не найден."),
        ("sources/999/operators", "Source 999 does not exist.", "Источник 999 не найден."),
        ("contacts/999", "Contact 999 does not exist.", "Обращение 999 не найдено."),
        ("contacts/999/decision", "Contact 999 does not exist.", "Обращение 999 не найдено."),
        ("leads/999", "Lead 999 does not exist.", "Клиент 999 не найден."),
        ("nothing", "Path /api/v1/nothing does not exist.", "Путь /api/v1/nothing не существует."),
    ],
)
def test_what_does_not_exist_has_one_sentence(api, path, english, russian):
    inglese, russo = api.get(f"/api/v1/{path}").json(), api.get(f"/api/v1/{path}", **RUSSIAN).json()
    assert (inglese["detail"], russo["detail"]) == (english, russian)
    assert inglese | {"detail": None} == russo | {"detail": None}


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_so_have_changes_of_what_does_not_exist(api, method):
    answer = getattr(api, method)("/api/v1/operators/999", {}, **RUSSIAN)
    assert answer.json()["detail"] == "Оператор 999 не найден."


def test_an_operator_who_is_not_on_the_roster(api):
    bot, anna = characters.source(), characters.operator("Anna")
    answer = api.delete(f"/api/v1/sources/{bot.pk}/operators/{anna.pk}")
    assert answer.json()["detail"] == f"Operator {anna.pk} is not on the roster of this source."


def test_invalid_fields_are_named_in_russian(api):
    body = {"source_id": characters.source().pk, "lead_phone": "привет"}
    plain, russian = api.post("/api/v1/contacts", body).json(), api.post("/api/v1/contacts", body, **RUSSIAN).json()
    assert plain["detail"] == "“привет” is not a valid phone number: it contains letters."
    assert russian["errors"] == [
        {"field": "lead_phone", "code": "invalid", "detail": "«привет» — не номер телефона: в нём есть буквы."}
    ]
    assert (plain["code"], plain["title"]) == (russian["code"], russian["title"]) == ("invalid", "Bad Request")


def test_django_rest_framework_speaks_russian_too(api):
    [error] = api.post("/api/v1/operators", {"name": "Anna"}, **RUSSIAN).json()["errors"]
    assert error == {"field": "max_load", "code": "required", "detail": "Обязательное поле."}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("operators", {"name": "Anna", "max_load": 1, "is_active": "perhaps"}),
        ("operators", {"name": ["Anna"], "max_load": 1}),
        ("contacts/batch", {"contacts": [{}] * 501}),
    ],
)
def test_what_it_says_in_english_only_is_translated_here(api, path, body):
    [error] = api.post(f"/api/v1/{path}", body, **RUSSIAN).json()["errors"]
    assert re.search("[а-я]", error["detail"]), error


@pytest.mark.parametrize(
    ("field", "russian"),
    [
        ({"lead_name": "x" * 256}, "Убедитесь, что это значение содержит не более 255 символов."),
        ({"source_id": 0}, "Убедитесь, что это значение больше либо равно 1."),
        ({"source_id": 2**63}, f"Убедитесь, что это значение меньше либо равно {2**63 - 1}."),
    ],
)
def test_limits_are_told_in_the_language_of_each_caller(api, field, russian):
    body = {"source_id": characters.source().pk, "lead_phone": "+79991234567"} | field
    told = [
        api.post("/api/v1/contacts", body, **language).json()["errors"][0]["detail"]
        for language in (ENGLISH, RUSSIAN, ENGLISH)
    ]
    assert told[1] == russian
    assert told[0] == told[2]
    assert told[0].startswith("Ensure this ")


def test_each_error_of_a_batch_is_in_the_callers_language(api):
    answer = api.post("/api/v1/contacts/batch", {"contacts": [{"source_id": 999, "lead_phone": "1"}, {}]}, **RUSSIAN)
    unknown, invalid = answer.json()["results"]
    assert unknown["error"]["detail"] == "Источник 999 не найден."
    assert invalid["error"]["detail"] == "source_id: Обязательное поле."
    assert (unknown["error"]["code"], invalid["error"]["code"]) == ("not_found", "invalid")


def test_the_decision_and_the_history_are_told_in_russian(api):
    contact = characters.contact(characters.source(roster={characters.operator("Анна"): 10}))
    decision = api.get(f"/api/v1/contacts/{contact.pk}/decision", **RUSSIAN)
    assert decision.json()["text"] == "Случайный выбор по весу: Анна, вероятность 100\u00a0%."
    [line] = api.get(f"/api/v1/contacts/{contact.pk}/history", **RUSSIAN).json()
    assert (line["what"], line["text"]) == ("registered", "Зарегистрировано: система → Анна.")


def test_the_next_caller_is_answered_in_english_by_the_same_thread(api):
    api.get("/api/v1/leads/999", **RUSSIAN)
    assert api.get("/api/v1/leads/999").json()["detail"] == "Lead 999 does not exist."
    assert str(errors.Unknown("lead", 999)) == "Lead 999 does not exist."


@pytest.mark.parametrize("accepted", ["de", "*", "de-DE,fr;q=0.5", ";;;", "\x00"])
@pytest.mark.parametrize(("service", "sentence"), [("en", "Lead 9 does not exist."), ("ru", "Клиент 9 не найден.")])
def test_a_language_that_there_is_not_means_the_services(api, settings, accepted, service, sentence):
    settings.LANGUAGE_CODE = service
    assert api.get("/api/v1/leads/9", headers={"Accept-Language": accepted}).json()["detail"] == sentence


def test_english_can_be_asked_of_a_russian_service(api, settings):
    settings.LANGUAGE_CODE = "ru"
    assert api.get("/api/v1/leads/9").json()["detail"] == "Клиент 9 не найден."
    assert api.get("/api/v1/leads/9", **ENGLISH).json()["detail"] == "Lead 9 does not exist."


def test_the_cookie_of_the_back_office_says_nothing_to_the_api(api):
    api.cookies["django_language"] = "ru"
    assert api.get("/api/v1/leads/9", **ENGLISH).json()["detail"] == "Lead 9 does not exist."


@pytest.mark.parametrize("path", ["leads/9", "nothing"])
def test_caches_are_told_that_errors_vary_with_the_language(api, path):
    assert "Accept-Language" in api.get(f"/api/v1/{path}")["Vary"]
    assert "Accept-Language" in api.get(f"/api/v1/{path}", **RUSSIAN)["Vary"]


def test_caches_are_told_that_sentences_vary_and_contacts_do_not(api):
    contact = characters.contact(characters.source())
    path = f"/api/v1/contacts/{contact.pk}"
    assert api.get(f"{path}/decision")["Vary"] == api.get(f"{path}/history")["Vary"] == "Accept-Language"
    assert "Vary" not in api.get(path)


def test_what_is_refused_before_any_view_is_refused_in_russian(settings):
    refused = Client().get("/api/v1/leads", headers={"Accept-Language": "ru", "Host": "elsewhere.example"}).json()
    assert refused["detail"] == "Имени «elsewhere.example» нет в ALLOWED_HOSTS."
    assert refused["code"] == "unknown_host"
