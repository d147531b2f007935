import json

import pytest

from leads import merging
from leads.models import Lead, PossibleDuplicate
from tests import characters
from tests.admin import pages

LEADS = pages.listing(Lead)


@pytest.fixture
def bot(db):
    return characters.source("Telegram")


@pytest.fixture
def ivan(bot):
    return characters.contact(bot, lead_phone="+79991234567", lead_name="Ivan").lead


@pytest.fixture
def vanya(bot):
    return characters.contact(bot, lead_phone="+79990000000", lead_name="Vanya").lead


@pytest.fixture
def one_person(ivan, vanya):
    """Vanya flowed into Ivan."""
    merging.merge_leads(lead_id=ivan.pk, other_id=vanya.pk, by="user anna")
    vanya.refresh_from_db()


def found(client, lead, term):
    """Whom the search for the other lead finds, by page."""
    page = client.get(pages.button(lead, "merge_with"), {"q": term}).text
    return [other for other in Lead.objects.exclude(pk=lead.pk) if pages.page(other) in page]


def test_the_page_offers_what_can_be_decided(supervisor, ivan, vanya):
    pair = PossibleDuplicate.objects.create(lead=ivan, other=vanya)
    page = supervisor.get(pages.page(vanya)).text
    for part in ("Possibly the same person", pages.page(ivan), "+79991234567", pages.button(pair, "dismiss_this")):
        assert part in page
    assert f"{pages.button(ivan, 'merge_this')}?other={vanya.pk}" in page


def test_a_dismissed_pair_is_no_longer_on_the_page(supervisor, ivan, vanya):
    pair = PossibleDuplicate.objects.create(lead=ivan, other=vanya)
    merging.dismiss_duplicate(pair_id=pair.pk)
    assert "Possibly the same person" not in supervisor.get(pages.page(ivan)).text


@pytest.mark.both
@pytest.mark.parametrize("term", ["8 (999) 000-00-00", "vanya", "0000000"])
def test_the_other_lead_is_found_however_it_is_typed(supervisor, ivan, vanya, term):
    assert found(supervisor, ivan, term) == [vanya]


@pytest.mark.both
def test_the_other_lead_is_found_by_its_number(supervisor, ivan, vanya):
    assert found(supervisor, ivan, str(vanya.pk)) == [vanya]


def test_nobody_is_merged_with_itself_or_with_what_is_merged_already(supervisor, ivan, vanya, one_person):
    assert found(supervisor, ivan, "van") == []


def test_what_is_merged_already_is_merged_with_nobody_else(supervisor, vanya, one_person):
    response = supervisor.get(pages.button(vanya, "merge_with"))
    assert response.headers["Location"] == pages.page(vanya)


def test_a_merged_lead_leads_to_its_survivor(supervisor, ivan, vanya, one_person):
    page = supervisor.get(pages.page(vanya))
    assert "by user anna. Phones, e-mails, ids and contacts are there." in page.text
    assert pages.page(ivan) in page.text
    assert not page.context["has_change_permission"]
    assert pages.offered(supervisor, vanya) == ["undo_this"]


def test_what_must_be_empty_of_a_merged_lead_is_not_shown(supervisor, ivan, vanya, one_person):
    assert pages.tables(supervisor, vanya) == []
    assert len(pages.tables(supervisor, ivan)) == 2


def test_the_survivor_tells_whom_it_took_in(supervisor, ivan, vanya, one_person):
    page = supervisor.get(pages.page(ivan)).text
    for part in ("Merged into this lead", pages.page(vanya), "user anna", pages.button(vanya, "undo_this")):
        assert part in page


@pytest.mark.usefixtures("one_person")
def test_a_merge_is_undone(supervisor, ivan, vanya):
    response = pages.press(supervisor, vanya, "undo_this")
    vanya.refresh_from_db()
    assert vanya.is_current
    assert vanya.phone == "+79990000000"
    assert pages.said(response) == ["1 merge was undone."]


@pytest.mark.usefixtures("one_person")
def test_a_merge_is_not_undone_twice(supervisor, vanya):
    pages.press(supervisor, vanya, "undo_this")
    response = pages.press(supervisor, vanya, "undo_this")
    assert pages.said(response)[-1] == "Vanya. It is not merged with another lead."


@pytest.mark.usefixtures("one_person")
def test_a_survivor_that_was_merged_since_comes_first(supervisor, bot, ivan, vanya):
    merging.merge_leads(lead_id=characters.contact(bot).lead_id, other_id=ivan.pk)
    supervisor.cookies["django_language"] = "ru"
    [message] = pages.said(pages.press(supervisor, vanya, "undo_this"))
    assert message == "Vanya. Оставшийся клиент с тех пор объединён с другим. Сначала отмените то объединение."


def test_the_list_shows_merged_leads_only_when_asked_for(supervisor, ivan, vanya, one_person):
    assert pages.shown(supervisor, LEADS) == [ivan]
    assert pages.shown(supervisor, LEADS + "?leads=merged") == [vanya]
    assert "Ivan" in supervisor.get(LEADS + "?leads=merged").text


def test_everything_known_is_downloaded(supervisor, ivan, vanya, one_person):
    response = supervisor.get(pages.button(ivan, "export_this"), follow=True)
    assert response.headers["Content-Disposition"] == f'attachment; filename="lead-{ivan.pk}.json"'
    known = json.loads(response.content)
    assert [identity["value"] for identity in known["identities"]] == ["+79991234567", "+79990000000"]
    assert len(known["contacts"]) == 2


def test_nobody_is_no_download(supervisor):
    assert supervisor.get("/admin/leads/lead/404/file/").status_code == 404
