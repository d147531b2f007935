"""The list of contacts: which rows each tab has, in which order, counted how."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from routing import lifecycle
from routing.admin import contact_tabs, contact_views
from routing.models import Contact, ContactEvent
from tests import characters
from tests.admin import pages

CONTACTS = "/admin/routing/contact/"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=2)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


def tabs(client, url=CONTACTS):
    return {tab.name: tab for tab in client.get(url).context["tabs"]}


def received(contact, **ago):
    Contact.objects.filter(pk=contact.pk).update(created_at=timezone.now() - timedelta(**ago))
    ContactEvent.objects.filter(contact=contact).update(at=timezone.now() - timedelta(**ago))


@pytest.mark.both
def test_what_waits_is_shown_first_and_the_oldest_before_the_rest(supervisor, bot):
    _, _, oldest, newest = (characters.contact(bot) for _ in range(4))
    assert pages.shown(supervisor, CONTACTS) == [oldest, newest]
    assert [tab.name for tab in tabs(supervisor).values() if tab.is_chosen] == ["waiting"]


@pytest.mark.both
def test_what_is_due_next_comes_first_and_then_what_was_assigned_first(supervisor, bot, anna):
    type(anna).objects.update(max_load=4)
    first, second, late, due = (characters.contact(bot) for _ in range(4))
    now = timezone.now()
    Contact.objects.filter(pk=due.pk).update(due_at=now + timedelta(minutes=5))
    Contact.objects.filter(pk=late.pk).update(due_at=now - timedelta(minutes=5))
    assert pages.shown(supervisor, f"{CONTACTS}?status=assigned") == [late, due, first, second]
    assert pages.shown(supervisor, f"{CONTACTS}?status=overdue") == [late]


@pytest.mark.both
@pytest.mark.parametrize("tab", ["resolved", "all"])
def test_the_newest_of_the_rest_come_first(supervisor, bot, tab):
    old, new = characters.contact(bot), characters.contact(bot)
    for contact in (new, old):
        lifecycle.resolve_contact(contact_id=contact.pk)
    assert pages.shown(supervisor, f"{CONTACTS}?status={tab}") == [new, old]


@pytest.mark.both
def test_tabs_count_what_is_short_and_not_what_is_long(supervisor, bot):
    for _ in range(5):
        characters.contact(bot)
    counts = {name: tab.count for name, tab in tabs(supervisor, f"{CONTACTS}?status=assigned").items()}
    assert counts == {"waiting": "3", "assigned": "2", "untaken": "", "overdue": "0", "resolved": "", "all": ""}


@pytest.mark.both
def test_counting_stops_at_many(supervisor, bot, monkeypatch):
    monkeypatch.setattr(contact_tabs, "MANY", 2)
    for _ in range(5):
        characters.contact(bot)
    found = tabs(supervisor)
    assert (found["waiting"].count, found["assigned"].count) == ("2+", "2")


def test_a_tab_keeps_the_filters_but_not_the_search(supervisor, bot):
    found = tabs(supervisor, f"{CONTACTS}?status=waiting&source__id__exact={bot.pk}&q=ivan&p=2")
    assert found["assigned"].url == f"?source__id__exact={bot.pk}&status=assigned"
    assert {tab.count for tab in found.values()} == {""}


def test_what_waits_is_not_filtered_by_operator(supervisor, bot, anna):
    found = tabs(supervisor, f"{CONTACTS}?status=assigned&operator__id__exact={anna.pk}")
    assert found["waiting"].url == "?status=waiting"
    assert found["resolved"].url == f"?operator__id__exact={anna.pk}&status=resolved"


@pytest.mark.both
def test_a_search_looks_everywhere(supervisor, bot):
    ivan = characters.contact(bot, lead_name="Ivan")
    lifecycle.resolve_contact(contact_id=ivan.pk)
    assert pages.shown(supervisor, f"{CONTACTS}?q=ivan") == [ivan]
    assert pages.shown(supervisor, f"{CONTACTS}?q=ivan&status=waiting") == []


def test_what_was_put_back_waits_since_then(supervisor, bot, anna):
    contact = characters.contact(bot)
    received(contact, days=8)
    lifecycle.return_contact(contact_id=contact.pk)
    text = strip_tags(supervisor.get(CONTACTS).text)
    assert "less than 1 min" in text
    assert "received 8 days ago" in text


def test_what_always_waited_is_as_old_as_it_waits(supervisor, db):
    contact = characters.contact(characters.source())
    received(contact, hours=3)
    page = supervisor.get(CONTACTS).text
    assert ">3 h</span>" in page
    assert "ago" not in page.partition("result_list")[2].partition("</table>")[0]
    assert "Waits for" in supervisor.get(pages.page(contact)).text


@pytest.mark.both
def test_each_line_says_its_place_in_its_queue(supervisor, db):
    one, other = characters.source(), characters.source()
    contacts = [characters.contact(source) for source in (one, other, one)]
    shown = pages.shown(supervisor, CONTACTS)
    assert [(contact, contact.queue_position) for contact in shown] == list(zip(contacts, [1, 1, 2], strict=True))


def test_more_rows_ask_no_more_questions(supervisor, bot, django_assert_max_num_queries):
    for _ in range(4):
        characters.contact(bot)
    with django_assert_max_num_queries(100) as few:
        supervisor.get(CONTACTS)
    for _ in range(20):
        characters.contact(bot)
    with django_assert_max_num_queries(len(few)):
        supervisor.get(CONTACTS)


def test_the_table_is_not_sent_again_while_nothing_changes(supervisor, bot, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    live = f"{CONTACTS}live/?status=assigned"
    characters.contact(bot)
    first = supervisor.get(live)
    headers = {"If-None-Match": first["ETag"]}
    assert (first.status_code, supervisor.get(live, headers=headers).status_code) == (200, 304)
    newer = characters.contact(bot)
    assert supervisor.get(live, headers=headers).status_code == 304  # as told to whoever asked some seconds ago
    time_machine.shift(contact_views.VERSION_STANDS)
    again = supervisor.get(live, headers=headers)
    assert again.status_code == 200
    assert pages.page(newer) in again.text
    assert 'hx-swap-oob="innerHTML"' in again.text


def test_a_change_of_the_reason_is_news(supervisor, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    contact = characters.contact(characters.source())
    headers = {"If-None-Match": supervisor.get(f"{CONTACTS}live/")["ETag"], "Live-News": "1"}
    Contact.objects.filter(pk=contact.pk).update(waiting_reason="all_full")
    assert "everybody is at the limit" in supervisor.get(f"{CONTACTS}live/", headers=headers).text


def test_a_row_that_becomes_overdue_is_news(supervisor, bot, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    contact = characters.contact(bot)
    due_at = timezone.now() + timedelta(seconds=30)
    Contact.objects.filter(pk=contact.pk).update(due_at=due_at)
    live = f"{CONTACTS}live/?status=assigned"
    headers = {"If-None-Match": supervisor.get(live)["ETag"]}
    time_machine.shift(31)
    assert "overdue since" in supervisor.get(live, headers=headers).text


def test_ages_alone_are_counted_on_by_the_browser(supervisor, bot, time_machine):
    time_machine.move_to("2026-03-02T10:01:00Z", tick=False)
    contact = characters.contact(bot)
    for live in (f"{CONTACTS}live/", f"/admin/routing/contact/{contact.pk}/live/"):
        time_machine.move_to("2026-03-02T10:01:00Z", tick=False)
        headers = {"If-None-Match": supervisor.get(live)["ETag"]}
        time_machine.shift(8 * 60)
        assert supervisor.get(live, headers=headers).status_code == 304
        time_machine.shift(60)
        assert supervisor.get(live, headers=headers).status_code == 200


def test_a_filter_that_nobody_offers_is_not_found_while_polling(supervisor):
    assert supervisor.get(f"{CONTACTS}live/?status=odd").status_code == 404


@pytest.mark.parametrize("address", ["live/", "reopen/?id=1", "save_view/", "give_many/"])
def test_an_account_without_rights_sees_none_of_it(client, django_user_model, db, address):
    client.force_login(django_user_model.objects.create_user("olga", is_staff=True))
    assert client.get(f"{CONTACTS}{address}").status_code in (403, 404)


def test_one_page_of_rows_has_no_buttons_for_pages(supervisor, bot):
    characters.contact(bot)
    for url in (CONTACTS + "?status=assigned", "/admin/leads/lead/"):
        assert "Previous" not in supervisor.get(url).text


def test_more_than_one_page_has_them(supervisor, db):
    bot = characters.source()
    for _ in range(51):
        characters.contact(bot)
    assert "Next" in supervisor.get(CONTACTS).text
    assert "Previous" in supervisor.get(f"{CONTACTS}?p=2").text
