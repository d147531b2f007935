import re
from datetime import UTC, datetime
from io import BytesIO

import catalogue
import pytest
from babel.messages.mofile import read_mo
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import ngettext

from core.admin import formatting
from tests import characters
from tests.admin import pages


@pytest.fixture(scope="module")
def stored():
    return catalogue.stored()


def spoken(compiled):
    """Every translation by message and context. The header is left out: it names the version of Babel."""
    return {(str(message.id), message.context): message.string for message in read_mo(BytesIO(compiled)) if message.id}


def test_every_message_of_the_sources_is_translated(stored):
    missing = []
    for message_id, context, place in catalogue.needed():
        message = stored.get(message_id, context)
        if message is None or not catalogue.is_translated(message):
            missing.append(f"{place}: {message_id}")
    assert not missing, "translate these, after scripts/messages"


def test_no_translation_loses_a_placeholder(stored):
    broken = {catalogue.first(message.id): errors for message in stored if (errors := list(message.check(stored)))}
    assert broken == {}


def test_the_compiled_catalogue_says_the_same(stored):
    assert spoken(catalogue.MO.read_bytes()) == spoken(catalogue.compiled(stored))


def test_what_replaces_djangos_words_replaces_something(stored):
    replaced = [catalogue.first(message.id) for message in stored if catalogue.INSTEAD in message.user_comments]
    assert set(replaced) <= catalogue.translated_by_django()


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 обращение"), (3, "3 обращения"), (5, "5 обращений"), (11, "11 обр")]
)
def test_plurals_are_right(count, words):
    with translation.override("ru"):
        text = ngettext("%(count)d contact was resolved.", "%(count)d contacts were resolved.", count)
    assert words in text % {"count": count}


def test_the_browser_chooses_the_language(supervisor):
    assert "Операторы" in supervisor.get("/admin/", headers={"Accept-Language": "ru,en;q=0.8"}).text
    assert "Operators" in supervisor.get("/admin/", headers={"Accept-Language": "en"}).text


def test_the_user_chooses_another_language_than_the_browser(supervisor):
    supervisor.post("/i18n/setlang/", {"language": "ru", "next": "/admin/"})
    assert "Операторы" in supervisor.get("/admin/", headers={"Accept-Language": "en"}).text


def test_who_has_not_signed_in_yet_chooses_a_language_too(client, db):
    page = client.get("/admin/login/", headers={"Accept-Language": "en"}).text
    assert "Русский" in page
    assert 'action="/i18n/setlang/"' in page


def test_refusals_are_russian_too(supervisor):
    anna = characters.operator("Анна")
    pages.press(supervisor, anna, "archive_this")
    supervisor.cookies["django_language"] = "ru"
    assert "Анна. Этой записи больше нет, или она в архиве." in pages.said(
        pages.press(supervisor, anna, "archive_this")
    )


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ("operators_operator", "Операторы"),
        ("routing_source", "Источники"),
        ("routing_contact", "Обращения"),
        ("leads_lead", "Клиенты"),
        ("leads_possibleduplicate", "Возможные дубли"),
        ("auth_user", "Сотрудники"),
        ("auth_group", "Роли"),
        ("access_apikey", "Ключи API"),
    ],
)
def test_no_list_has_the_singular_for_a_title(admin_client, model, title):
    page = admin_client.get(reverse(f"admin:{model}_changelist"), headers={"Accept-Language": "ru"})
    assert re.search(rf"<title>\s*{title} \|", page.text)


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ("operators_operator", "Добавить оператора"),
        ("routing_source", "Добавить источник"),
        ("auth_user", "Пригласить сотрудника"),
        ("auth_group", "Добавить роль"),
        ("access_apikey", "Новый ключ API"),
    ],
)
def test_pages_that_add_have_titles_in_the_right_case(admin_client, model, title):
    page = admin_client.get(reverse(f"admin:{model}_add"), headers={"Accept-Language": "ru"})
    assert re.search(rf"<title>\s*{title} \|", page.text)
    assert "обавить:" not in page.text
    assert "обавление:" not in page.text


@pytest.mark.parametrize("page", ["", "auth/user/", "auth/user/add/", "auth/group/", "auth/group/add/"])
@pytest.mark.parametrize(("language", "words"), [("ru", ["Групп", "групп"]), ("en", ["Group"])])
def test_roles_are_called_roles(admin_client, page, language, words):
    text = admin_client.get(f"/admin/{page}", headers={"Accept-Language": language}).text
    assert not any(word in re.sub(r"<[^>]*>", "", text) for word in words)


@pytest.mark.parametrize(("language", "date"), [("ru", "26.11.2026 18:24"), ("en", "26 Nov 2026, 18:24")])
def test_dates_have_one_style(language, date):
    at = datetime(2026, 11, 26, 18, 24, tzinfo=UTC)
    with translation.override(language):
        assert formatting.format_datetime(at) == date_format(at, "DATETIME_FORMAT") == date
