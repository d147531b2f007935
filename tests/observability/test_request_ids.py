import io

import pytest

from crm_router.server.request_body import with_bounded_body


def answered_id(api, **headers):
    return api.get("/api/v1/operators", headers=headers)["X-Request-ID"]


@pytest.mark.parametrize("given", ["bot-42:7f", "a" * 64, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_the_callers_id_comes_back(api, given):
    assert answered_id(api, x_request_id=given) == given


@pytest.mark.parametrize(
    "given",
    ["", "short", "a" * 65, "two words here", "line\nbreak-in-it", "anna@example.com", "+79991234567", "ЯЯЯЯЯЯЯЯ"],
)
def test_what_is_no_id_is_replaced(api, given):
    made = answered_id(api, x_request_id=given)
    assert made != given
    assert len(made) == 32


def test_two_requests_without_an_id_get_two(api):
    assert answered_id(api) != answered_id(api)


@pytest.mark.parametrize("path", ["/", "/health", "/nowhere", "/admin/", "/api/v1/contacts/404"])
def test_every_answer_has_one(api, path):
    assert api.get(path, headers={"x-request-id": "bot-42:7f"})["X-Request-ID"] == "bot-42:7f"


def test_a_body_that_is_refused_unread_has_one_too(lines):
    answered: dict[str, str] = {}
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/contacts", "wsgi.input": io.BytesIO()}
    environ |= {"CONTENT_LENGTH": "999999999", "HTTP_X_REQUEST_ID": "bot-42:7f"}
    with_bounded_body(lambda *_: [])(environ, lambda status, headers: answered.update(headers, status=status))
    assert answered["X-Request-ID"] == "bot-42:7f"
    [line] = lines()
    assert (line["request_id"], line["status"], line["code"]) == ("bot-42:7f", 413, "too_large")
