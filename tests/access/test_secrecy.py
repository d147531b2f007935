"""Keys never reach logs, error reports or the history."""

import logging

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter
from rest_framework.request import Request

from access import keys
from access.authentication import KeyAuthentication
from access.models import ApiKey
from routing.api.contacts import ContactViewSet
from routing.models import ContactEvent
from tests.access import callers

pytestmark = pytest.mark.django_db


def test_no_log_line_holds_a_key(telegram, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    new = callers.key(telegram)
    client = callers.with_key(new.secret)
    client.raise_request_exception = False
    client.post("/api/v1/contacts", callers.somebody_at(telegram))
    client.get("/api/v1/operators")
    monkeypatch.setattr(ContactViewSet, "get_queryset", lambda self: 1 / 0)
    assert client.get("/api/v1/contacts").status_code == 500
    keys.revoke_key(key_id=new.key.pk)
    client.get("/api/v1/contacts")
    assert "ZeroDivisionError" in caplog.text
    assert secret_part(new) not in caplog.text


def test_no_answer_repeats_a_key(telegram):
    new = callers.key(telegram)
    client = callers.with_key(new.secret)
    answers = [client.get(path) for path in ("/api/v1/contacts", "/api/v1/operators", "/nowhere", "/api/v1/contacts/9")]
    assert not [answer for answer in answers if secret_part(new) in answer.content.decode() + str(answer.headers)]


def test_no_line_of_the_history_holds_a_key(telegram):
    new = callers.key(telegram)
    callers.with_key(new.secret).post("/api/v1/contacts", callers.somebody_at(telegram))
    assert secret_part(new) not in str(ContactEvent.objects.values().get())


def test_an_error_report_hides_the_header():
    new = callers.key()
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {new.secret}"})
    shown = SafeExceptionReporterFilter().get_safe_request_meta(request)
    assert secret_part(new) not in str(shown)


@pytest.mark.parametrize(
    "broken", ["access.keys.hashlib.sha256", "access.keys.record_use", "access.models.ApiKey.save"]
)
def test_an_error_report_hides_the_variables_that_hold_a_key(broken, monkeypatch):
    """Of a service that runs with DEBUG off, whatever receives its error reports."""
    new = callers.key()
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {new.secret}"})
    monkeypatch.setattr("access.keys.secrets.token_urlsafe", lambda size: secret_part(new))
    use = make_one if broken.endswith("save") else authenticate
    monkeypatch.setattr(broken, lambda: None)  # which is called with arguments
    with pytest.raises(TypeError) as failure:
        use(request)
    report = ExceptionReporter(request, failure.type, failure.value, failure.tb).get_traceback_html()
    assert "keys.py" in report
    assert secret_part(new) not in report


def test_the_back_office_shows_no_digest(client, django_user_model):
    new = callers.key()
    client.force_login(django_user_model.objects.create_superuser("vera"))
    pages = [f"/admin/access/apikey/{path}" for path in ("", f"{new.key.pk}/change/", f"{new.key.pk}/history/")]
    shown = "".join(client.get(page).text for page in pages)
    assert new.key.prefix in shown
    assert ApiKey.objects.get().digest not in shown


def make_one(request):
    return keys.make_key(name="Bot", source=None)


def authenticate(request):
    return KeyAuthentication().authenticate(Request(request))


def secret_part(new):
    return new.secret.removeprefix(f"{new.key.prefix}_")
