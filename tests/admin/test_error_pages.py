"""What the back-office shows when it does not show what was asked for."""

import pytest
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.roles import SUPERVISOR
from routing import own_contacts
from tests.accounts import people

HOME = 'href="/admin/"'


@pytest.fixture
def failing(supervisor, monkeypatch):
    """Makes the start page fail with this, for a browser whose language is Russian."""
    supervisor.raise_request_exception = False

    def fail(error):
        monkeypatch.setattr(own_contacts, "sees_only_own", lambda user: (_ for _ in ()).throw(error))
        return supervisor.get("/admin/", headers={"Accept-Language": "ru"})

    return fail


@pytest.mark.parametrize("template", ["403.html", "403_csrf.html", "404.html", "500.html", "503.html"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_page_of_an_error_needs_no_database_and_leads_back(template, language):
    with translation.override(language):
        page = render_to_string(template)
    assert HOME in page
    assert f'lang="{language}"' in page
    assert 'name="viewport"' in page


def test_what_is_not_there_is_said_in_the_language_of_the_browser(supervisor):
    response = supervisor.get("/admin/nothing/", headers={"Accept-Language": "ru"})
    assert response.status_code == 404
    assert "Страница не найдена" in response.text


def test_what_is_not_for_a_role_is_said_in_the_language_of_the_browser(db, client):
    client.force_login(people.account("anna", SUPERVISOR))
    response = client.get(reverse("admin:auth_user_changelist"), headers={"Accept-Language": "ru"})
    assert response.status_code == 403
    assert "Нет доступа" in response.text
    assert HOME in response.text


def test_a_form_that_is_out_of_date_says_what_to_do(db):
    response = Client(enforce_csrf_checks=True).post("/admin/login/", headers={"Accept-Language": "ru"})
    assert response.status_code == 403
    assert "Страница устарела" in response.text


def test_a_fault_names_its_incident(failing):
    response = failing(RuntimeError("secret"))
    assert response.status_code == 500
    assert f"Номер сбоя: {response['X-Request-ID']}" in response.text
    assert "secret" not in response.text


def test_a_database_that_is_away_is_no_fault(failing):
    response = failing(OperationalError("secret"))
    assert response.status_code == 503
    assert "Сервис пока не готов" in response.text
    assert response["Retry-After"]
