"""The identities on the page of a lead: who added them; detached and shared by buttons beside them."""

import pytest

from leads.models import Identity
from tests import characters
from tests.admin import pages


@pytest.fixture
def bot(db):
    return characters.source("Telegram")


@pytest.fixture
def anna(bot):
    return characters.contact(bot, lead_phone="+79990000001", lead_email="anna@example.com", by="key crm_1").lead


@pytest.fixture
def phone(anna):
    return anna.identities.get(kind="phone")


@pytest.fixture
def press(supervisor, anna, phone):
    def press(action):
        url = f"{pages.button(anna, action)}?identity={phone.pk}"
        return supervisor.post(url, {"_form_submitted": "True"})

    return press


def test_the_page_tells_who_added_each(supervisor, anna):
    assert "key crm_1 (Telegram)" in supervisor.get(pages.page(anna)).text


def test_one_is_detached(press, anna, phone):
    assert pages.said(press("detach_this")) == ["It was detached."]
    assert not Identity.objects.filter(pk=phone.pk).exists()


def test_one_is_shared_and_of_one_person_again(press, supervisor, anna, phone):
    press("share_this")
    phone.refresh_from_db()
    assert phone.is_shared
    assert "unshare_this" in supervisor.get(pages.page(anna)).text
    press("unshare_this")
    phone.refresh_from_db()
    assert not phone.is_shared


def test_what_others_have_too_is_not_of_one_person(press, bot):
    press("share_this")
    characters.contact(bot, lead_phone="+79990000001")
    assert pages.said(press("unshare_this"))[-1].endswith(
        "Other leads have it too. Merge them into this lead, or detach it there first."
    )


@pytest.mark.parametrize("asked", ["", "nonsense", "999999", "9" * 30])
def test_an_identity_that_is_not_there_changes_nothing(supervisor, anna, asked):
    response = supervisor.post(f"{pages.button(anna, 'detach_this')}?identity={asked}", {"_form_submitted": "True"})
    assert response.status_code in (200, 404)
    assert anna.identities.count() == 2


@pytest.mark.parametrize("action", ["detach_this", "share_this", "unshare_this"])
def test_the_dialog_shows_which_one(supervisor, anna, phone, action):
    page = supervisor.get(f"{pages.button(anna, action)}?identity={phone.pk}")
    assert "+79990000001" in page.text


def test_the_dialog_shows_nothing_of_others(supervisor, bot, anna):
    boris = characters.contact(bot, lead_phone="+79990000002").lead
    page = supervisor.get(f"{pages.button(anna, 'detach_this')}?identity={boris.identities.get().pk}")
    assert "+79990000002" not in page.text


def test_looking_at_the_dialog_changes_nothing(supervisor, anna, phone):
    page = supervisor.get(f"{pages.button(anna, 'detach_this')}?identity={phone.pk}")
    assert "Detach this from the lead?" in page.text
    assert anna.identities.count() == 2
