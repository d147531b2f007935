import re
from base64 import b64encode
from urllib.parse import urlencode

import pytest
from rest_framework import exceptions
from rest_framework.test import APIClient

from core.api import problems
from notifications.webhooks import actions as webhook_actions
from routing.api.contacts import ContactViewSet
from tests import characters

pytestmark = pytest.mark.once

PATHS = ["/", "/health", "/docs", "/openapi.json", "/api/v1/operators", "/api/v1/sources"]


def raw(api, body, content_type="application/json"):
    return api.generic("POST", "/api/v1/operators", body, content_type=content_type)


def assert_problem(answer, status):
    assert answer.status_code == status, (answer.wsgi_request, answer.content)
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert list(body) == ["type", "title", "status", "detail", "code", "errors"]
    assert body["status"] == status
    assert body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe",
        b'{"name": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"[]",
        b"null",
        b'"text"',
        b"9" * 5000,
        b'{"name": "Anna", "max_load": ' + b"9" * 400 + b"}",
        b'{"name": "Anna", "max_load": 1e400}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_no_body_however_broken_gives_more_than_a_400(api, body):
    assert_problem(raw(api, body), 400)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_is_not_json_is_a_415(api, content_type):
    assert_problem(raw(api, b"name=Anna", content_type), 415)


def test_json_with_a_charset_is_json(api):
    body = '{"name": "Анна", "max_load": 5}'.encode()
    assert raw(api, body, "application/json; charset=utf-8").status_code == 201


def test_a_method_that_is_not_there_is_a_405_that_says_which_are(api):
    answer = api.put("/api/v1/operators", {})
    assert_problem(answer, 405)
    assert answer["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1/operators/abc", "/api/v1/operators/-1"])
def test_a_path_that_is_not_there_is_a_404(api, path):
    assert_problem(api.get(path), 404)


@pytest.mark.parametrize("path", ["operators", "sources", "contacts", "leads"])
@pytest.mark.parametrize("pk", [404, 10**30])
def test_an_unknown_id_is_a_404(api, path, pk):
    assert_problem(api.get(f"/api/v1/{path}/{pk}"), 404)


def test_an_unknown_host_is_a_400(api):
    assert_problem(api.get("/api/v1/operators", headers={"host": "evil.example"}), 400)


def test_a_fault_of_ours_is_a_500_with_an_incident_and_no_internals(api, monkeypatch, caplog):
    def broken(self):
        raise RuntimeError("secret internals")

    monkeypatch.setattr(ContactViewSet, "get_queryset", broken)
    api.raise_request_exception = False
    answer = api.get("/api/v1/contacts/1")
    assert_problem(answer, 500)
    assert "secret" not in answer.content.decode()
    incident = answer.json()["detail"].split("incident ")[1].split()[0]
    assert incident in caplog.text
    assert "secret internals" in caplog.text


@pytest.mark.parametrize("path", PATHS)
def test_a_trailing_slash_changes_nothing_and_never_redirects(api, path):
    with_slash = path if path == "/" else f"{path}/"
    assert api.get(with_slash).status_code == api.get(path).status_code == 200


def test_a_post_with_a_trailing_slash_is_the_same_post(api):
    bot = characters.source()
    body = {"source_id": bot.pk, "lead_phone": "+79991234567"}
    assert api.post("/api/v1/contacts/", body).status_code == 201
    assert api.post(f"/api/v1/sources/{bot.pk}/operators/", {"operator_id": 404}).status_code == 404


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_json_comes_out_whatever_was_asked_for(api, accept):
    answer = api.get("/api/v1/operators", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_the_api_asks_nobody_for_a_csrf_token(db):
    strict = APIClient(enforce_csrf_checks=True)
    assert strict.post("/api/v1/operators", {"name": "Anna", "max_load": 5}).status_code == 201


def test_a_path_that_only_begins_like_the_back_office_is_not_the_back_office(api):
    assert_problem(api.get("/adminfoo"), 404)


@pytest.mark.parametrize("field", ["strategy", "phone_region"])
def test_half_a_character_is_no_fault_of_ours_even_where_the_error_quotes_it(api, field):
    body = f'{{"name": "Bot", "{field}": "\\ud800"}}'
    answer = api.generic("POST", "/api/v1/sources", body, content_type="application/json")
    assert_problem(answer, 400)


@pytest.mark.parametrize("position", ["abc", "\0", "1.5", "1e400", "9" * 30, "-1", "٣"])
def test_a_cursor_that_was_made_up_is_a_400(api, position):
    cursor = b64encode(urlencode({"p": position}).encode()).decode()
    answer = api.get("/api/v1/contacts", {"cursor": cursor})
    assert_problem(answer, 400)
    assert answer.json()["errors"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/stats/distribution", "from"),
        ("/api/v1/stats/distribution", "to"),
        ("/api/v1/contacts", "created_after"),
    ],
)
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_a_400(api, path, name, moment):
    assert_problem(api.get(path, {name: moment}), 400)


@pytest.mark.parametrize("path", ["/api/v1/operators", "/api/v1/sources/{}/operators", "/api/v1/queue", "/health"])
def test_every_path_has_head_and_no_path_has_options(api, path):
    path = path.format(characters.source().pk)
    assert api.head(path).status_code == 200
    assert_problem(api.options(path), 405)


@pytest.mark.parametrize("path", ["/", "/health", "/health/ready", "/docs", "/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_pages_outside_the_api_can_only_be_read(api, method, path):
    answer = api.generic(method, path)
    assert_problem(answer, 405)
    assert answer["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api", "/static/nothing", "/%zz%ff%00", "/%ed%a0%80"])
def test_where_nothing_is_every_method_is_a_404(api, method, path):
    assert_problem(api.generic(method, path), 404)


def test_methods_that_nobody_has_heard_of_are_405_in_the_api(api):
    assert_problem(api.generic("PROPFIND", "/api/v1/operators"), 405)


def places_of_text(schema):
    """Method, path and name of every text in a body, as the schema tells."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            component = schema["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], {})
            for name, field in component.get("properties", {}).items():
                kinds = [field.get("type"), *(part.get("type") for part in field.get("oneOf", []))]
                if "string" in kinds:
                    yield method, path, name


MENDED = {"message", "lead_name"}  # see tests/leads/test_set_aside.py


@pytest.mark.parametrize("text", ["a\\u0000b", "\\u0000", "\\ud800", "a\\udfff"])
def test_no_text_of_a_body_takes_what_a_database_cannot_store(api, text):
    contact = characters.contact(characters.source(roster={characters.operator(): 1}))
    webhook = webhook_actions.create_webhook(url="https://bot.example.com/crm")
    known = {"contacts": contact.pk, "leads": contact.lead_id, "sources": contact.source_id, "webhooks": webhook.pk}
    places = [place for place in places_of_text(api.get("/openapi.json").json()) if place[2] not in MENDED]
    assert ("post", "/api/v1/contacts", "lead_phone") in places
    for method, path, name in places:
        pk = known.get(path.split("/")[3], contact.operator_id)
        body = f'{{"{name}": "{text}"}}'
        answer = api.generic(method.upper(), re.sub(r"{\w+}", str(pk), path), body, content_type="application/json")
        assert_problem(answer, 400)
        assert name in [error["field"] for error in answer.json()["errors"]], (method, path)


@pytest.mark.parametrize("text", ["%00", "a%00", "%ff%00"])
def test_no_question_takes_what_a_database_cannot_compare(api, text):
    webhook = webhook_actions.create_webhook(url="https://bot.example.com/crm")
    known = {"operator_id": characters.operator().pk, "webhook_id": webhook.pk}
    for path, operations in api.get("/openapi.json").json()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                answer = api.get(f"{path.format_map(known)}?{parameter['name']}={text}")
                assert_problem(answer, 400)
                assert {error["field"] for error in answer.json()["errors"]} == {parameter["name"]}, path


@pytest.mark.parametrize("page_size", ["0", "-1", "many", "1.5", "9" * 2000])
def test_a_page_size_that_is_none_is_a_400(api, page_size):
    answer = api.get("/api/v1/contacts", {"page_size": page_size})
    assert_problem(answer, 400)
    assert answer.json()["errors"][0]["field"] == "page_size"


def test_a_blank_page_size_is_none_given(api):
    assert api.get("/api/v1/contacts", {"page_size": "", "cursor": ""}).status_code == 200


class NoKey(exceptions.NotAuthenticated):
    auth_header = 'Bearer realm="api"'


def answer_to(exception):
    answer = problems.exception_handler(exception, {})
    assert answer is not None
    return answer


def test_without_a_key_the_answer_says_which_kind_is_wanted():
    answer = answer_to(NoKey())
    assert (answer.status_code, answer.data["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_who_is_too_fast_is_told_how_long_to_wait():
    answer = answer_to(exceptions.Throttled(wait=4.2))
    assert (answer.status_code, answer.data["code"], answer.headers["Retry-After"]) == (429, "throttled", "5")


def test_who_may_not_is_told_so():
    assert answer_to(exceptions.PermissionDenied()).data["code"] == "permission_denied"


def test_what_can_only_mean_one_thing_is_read_as_meant(api):
    operator = api.post("/api/v1/operators", {"name": 7, "max_load": "50", "is_active": "true"}).json()
    assert (operator["name"], operator["max_load"], operator["is_active"]) == ("7", 50, True)


@pytest.mark.parametrize("name", ["", " ", "\u00a0", "\u001d", "\u0085", "\ufeff", "\u2003\t"])
def test_a_name_that_is_blank_in_any_language_is_a_400(api, name):
    answer = api.post("/api/v1/sources", {"name": name})
    assert_problem(answer, 400)
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]
