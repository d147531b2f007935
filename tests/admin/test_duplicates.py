import pytest

from leads import merging
from leads.models import Lead, PossibleDuplicate
from tests import characters
from tests.admin import pages

LIST = pages.listing(PossibleDuplicate)


@pytest.fixture
def bot(db):
    return characters.source("Telegram")


@pytest.fixture
def ivan(bot):
    return characters.contact(bot, lead_phone="+79991234567", lead_external_id="chat-1", lead_name="Ivan").lead


@pytest.fixture
def vanya(bot):
    return characters.contact(bot, lead_phone=None, lead_email="ivan@example.com", lead_name="Vanya").lead


@pytest.fixture
def pair(bot, ivan, vanya):
    characters.contact(bot, lead_phone="+79991234567", lead_email="ivan@example.com")
    return PossibleDuplicate.objects.get()


def survivors(*leads):
    return [Lead.objects.get(pk=lead.pk).merged_into_id for lead in leads]


def badge(client):
    """The number beside the line of the sidebar."""
    _, _, line = client.get("/admin/routing/contact/").text.partition(f'href="{LIST}"')
    _, found, rest = line.partition("</a>")[0].partition('class="badge">')
    return rest.partition("<")[0] if found else None


def test_a_pair_stands_side_by_side_with_all_that_tells_it_apart(supervisor, pair):
    page = supervisor.get(LIST).text
    for part in ("Ivan", "+79991234567", "chat-1 (Telegram)", "2 contacts: ", "Vanya", "ivan@example.com", "1 contact"):
        assert part in page


def test_a_pair_is_not_edited(supervisor, pair, ivan, vanya):
    page = supervisor.get(pages.page(pair)).text
    assert pages.page(ivan) in page
    assert pages.page(vanya) in page
    assert supervisor.post(pages.page(pair), {"lead": vanya.pk}).status_code == 403


def test_only_the_undecided_are_listed_unless_asked_for(supervisor, pair):
    merging.dismiss_duplicate(pair_id=pair.pk)
    assert pages.shown(supervisor, LIST) == []
    assert pages.shown(supervisor, LIST + "?decision=dismissed") == [pair]
    merging.merge_leads(lead_id=pair.lead_id, other_id=pair.other_id)
    assert pages.shown(supervisor, LIST + "?decision=merged") == []


def test_pairs_that_were_merged_are_found_by_the_filter(supervisor, pair):
    merging.merge_leads(lead_id=pair.lead_id, other_id=pair.other_id)
    assert pages.shown(supervisor, LIST) == []
    assert pages.shown(supervisor, LIST + "?decision=merged") == [pair]


def test_the_dialog_says_what_will_happen_and_changes_nothing(supervisor, pair, ivan, vanya):
    dialog = supervisor.get(f"{pages.button(ivan, 'merge_this')}?other={vanya.pk}").text
    for part in ("Contacts, phones, e-mails and ids", "Ivan, +79991234567", "Vanya, ivan@example.com"):
        assert part in dialog
    assert survivors(ivan, vanya) == [None, None]


def test_the_user_chooses_which_lead_stays(supervisor, pair, ivan, vanya):
    response = pages.merge(supervisor, ivan, vanya, survivor=vanya)
    assert survivors(ivan, vanya) == [vanya.pk, None]
    assert pages.said(response) == ["1 pair was merged."]
    assert response.headers["HX-Refresh"] == "true"


def test_the_older_lead_is_offered_first(supervisor, ivan, vanya):
    form = supervisor.get(f"{pages.button(vanya, 'merge_this')}?other={ivan.pk}").context["form"]
    assert form["survivor"].value() == ivan.pk


@pytest.mark.parametrize("other", ["404", "x", ""])
def test_merging_with_nobody_is_not_found(supervisor, ivan, other):
    assert supervisor.get(f"{pages.button(ivan, 'merge_this')}?other={other}").status_code == 404


def test_two_persons_leave_the_list(supervisor, pair, ivan, vanya):
    response = pages.press(supervisor, pair, "dismiss_this")
    assert pages.said(response) == ["1 pair was removed from the list."]
    assert pages.shown(supervisor, LIST) == []
    assert survivors(ivan, vanya) == [None, None]


def test_selected_pairs_are_two_persons_each(supervisor, pair):
    pages.run(supervisor, "dismiss_selected", pair)
    assert PossibleDuplicate.objects.dismissed().exists()


def test_selected_pairs_are_merged_only_when_confirmed(supervisor, pair, ivan, vanya):
    page = pages.run(supervisor, "merge_selected", pair)
    assert "move to the older one" in page.text
    assert survivors(ivan, vanya) == [None, None]
    chosen = {"action": "merge_selected", "_selected_action": [pair.pk], "confirmed": "yes"}
    assert pages.said(supervisor.post(LIST, chosen)) == ["1 pair was merged."]
    assert survivors(ivan, vanya) == [None, ivan.pk]


def test_a_person_in_several_pairs_becomes_one_lead(supervisor, bot, pair, ivan, vanya):
    third = characters.contact(bot, lead_phone="+79990000000", lead_name="Vanechka").lead
    second = PossibleDuplicate.objects.create(lead=vanya, other=third)
    chosen = {"action": "merge_selected", "_selected_action": [pair.pk, second.pk], "confirmed": "yes"}
    supervisor.post(LIST, chosen)
    assert ivan.identities.count() == 4
    assert pages.shown(supervisor, LIST) == []


def test_the_sidebar_counts_the_undecided(supervisor, pair):
    assert badge(supervisor) == "1"
    merging.dismiss_duplicate(pair_id=pair.pk)
    assert badge(supervisor) is None
