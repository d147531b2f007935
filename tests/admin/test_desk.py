"""The page of one's own contacts: what its cards show, in which order, and what its buttons do. Never to others'."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.roles import OPERATOR, SUPERVISOR
from leads import erasure
from operators.models import Operator
from routing import duty_edges, lifecycle, notes, operator_actions, taking
from routing.models import Contact, ContactNote
from tests import characters
from tests.accounts import people

DESK = "/admin/my-contacts/"
LIVE = f"{DESK}live/?shown=open"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", user=people.account("anna", OPERATOR))


@pytest.fixture
def boris(db):
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def browser(anna):
    return people.at_the_browser(anna.user)


@pytest.fixture
def bot(anna, boris):
    return characters.source("Telegram", roster={anna: 10, boris: 10})


@pytest.fixture
def contact(bot):
    return characters.contact(bot, lead_name="Ivan")


@pytest.fixture
def of_boris(boris):
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    made = characters.contact(characters.source("WhatsApp", roster={boris: 10}), message="Secret")
    Operator.objects.filter(pk=boris.pk).update(is_active=False)
    return made


@pytest.fixture
def frozen_minute(db):
    """Time goes on, but the minute does not end within the test."""
    with time_machine.travel(timezone.now().replace(second=1)):
        yield


def press(browser, contact, button, **sent):
    return browser.post(f"{DESK}{contact.pk}/{button}/", sent)


def duty(browser, button):
    return browser.post(f"{DESK}duty/{button}/")


def toast(response):
    return json.loads(response["HX-Trigger"])["toast"]


def shown(browser, address=DESK):
    return [card.contact.pk for card in browser.get(address).context["cards"]]


def stored(thing):
    return type(thing).objects.get(pk=thing.pk)


# The cards.


@pytest.mark.both
def test_whose_time_runs_out_comes_first_then_the_untaken_then_the_taken(browser, bot):
    taken, old, new, due, overdue = (characters.contact(bot) for _ in range(5))
    taking.accept_contact(contact_id=taken.pk)
    now = timezone.now()
    Contact.objects.filter(pk=due.pk).update(due_at=now + timedelta(minutes=4, seconds=30))
    Contact.objects.filter(pk=overdue.pk).update(due_at=now - timedelta(minutes=2, seconds=30))
    assert shown(browser) == [contact.pk for contact in (overdue, due, old, new, taken)]
    page = re.sub(r"<span data-elapsed=[^>]+>|</span>", "", browser.get(DESK).text)
    assert "Overdue for 2 min" in page
    assert "Take it within 4 min" in page


@pytest.mark.both
def test_of_the_taken_the_one_with_the_latest_news_comes_first(browser, bot):
    first, second = characters.contact(bot), characters.contact(bot)
    for contact in (first, second):
        taking.accept_contact(contact_id=contact.pk)
    assert shown(browser) == [second.pk, first.pk]
    notes.add_note(first.pk, "Calls back", "user anna")
    assert shown(browser) == [first.pk, second.pk]


def test_a_card_leads_to_phone_and_mail(browser, bot):
    characters.contact(bot, lead_phone="+79991234567", lead_email="o'neill+a?b=c@example.com")
    page = browser.get(DESK).text
    assert 'href="tel:+79991234567"' in page
    assert 'href="mailto:o%27neill%2Ba%3Fb%3Dc@example.com"' in page


def test_a_card_shows_the_message_to_its_end(browser, bot):
    characters.contact(bot, message="Beginning " + "x " * 900 + "the end.")
    page = browser.get(DESK).text
    assert "Show all" in page
    assert "the end." in page


def test_a_huge_message_is_cut_and_leads_to_the_rest(browser, bot):
    made = characters.contact(bot, message="Beginning. " + "x" * 60_000)
    page = browser.get(DESK).text
    assert len(page) < 60_000
    assert f'href="/admin/routing/contact/{made.pk}/change/" class="text-link">The whole message' in page


def test_a_card_shows_what_could_not_be_read(browser, bot):
    characters.contact(bot, lead_phone="abc", lead_email="ivan@example.com")
    assert "“abc” cannot be a phone number." in browser.get(DESK).text


def test_what_clients_write_is_text_and_no_more(browser, bot):
    evil = "<script>alert(1)</script>"
    made = characters.contact(bot, lead_name=evil, message=evil)
    notes.add_note(made.pk, evil, "user anna")
    for address in (DESK, LIVE, f"{DESK}{made.pk}/note/", f"{DESK}{made.pk}/give-back/"):
        page = browser.get(address).text
        assert evil not in page
        assert "&lt;script&gt;alert(1)" in page
    assert toast(press(browser, made, "take"))["text"] == f"Taken: {evil}."


@pytest.mark.both
def test_earlier_contacts_of_the_client_are_known_but_not_what_colleagues_were_told(browser, bot, of_boris):
    phone = of_boris.lead.phone
    own = characters.contact(bot, lead_phone=phone, message="My own")
    lifecycle.resolve_contact(contact_id=own.pk)
    characters.contact(bot, lead_phone=phone, message="Now")
    [card] = browser.get(DESK).context["cards"]
    lines = [(one["source"], one["state"], one["words"]) for one in card.earlier]
    assert lines == [("Telegram", "resolved", "My own"), ("WhatsApp", "open, with a colleague", "")]
    assert "Secret" not in browser.get(DESK).text


@pytest.mark.both
def test_more_contacts_take_no_more_queries(browser, bot):
    def queries(address):
        browser.get(address)
        with CaptureQueriesContext(connection) as captured:
            browser.get(address)
        return len(captured)

    def one_more():
        phone = characters.somebody_new()
        for _ in range(2):
            made = characters.contact(bot, lead_phone=phone, lead_email=f"{phone}@example.com")
            notes.add_note(made.pk, "Note", "user anna")
        lifecycle.resolve_contact(contact_id=made.pk)

    one_more()
    addresses = [DESK, f"{DESK}?shown=done"]
    few = [queries(address) for address in addresses]
    for _ in range(3):
        one_more()
    assert [queries(address) for address in addresses] == few
    assert max(few) < 23


# The buttons.


@pytest.mark.both
def test_one_press_takes_it(browser, contact):
    answer = press(browser, contact, "take")
    assert toast(answer) == {"text": "Taken: Ivan.", "level": "success", "undo": ""}
    assert json.loads(answer["HX-Trigger"])["refresh"] is True
    assert stored(contact).accepted_at
    assert contact.history.order_by("pk").last().by == "user anna"


def test_one_press_resolves_it_and_undo_reopens_it(browser, contact):
    said = toast(press(browser, contact, "resolve"))
    assert said["text"] == "Resolved: Ivan."
    assert stored(contact).is_resolved
    assert toast(browser.post(said["undo"]))["text"] == "Open again: Ivan."
    assert (stored(contact).is_resolved, stored(contact).operator.name) == (False, "Anna")


def test_resolving_what_is_resolved_offers_no_undo(browser, contact):
    press(browser, contact, "resolve")
    assert toast(press(browser, contact, "resolve"))["undo"] == ""


def test_who_is_not_free_is_told_where_the_reopened_contact_went(browser, contact, anna, boris):
    press(browser, contact, "resolve")
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    said = toast(press(browser, contact, "reopen"))["text"]
    assert said == "Open again: Ivan. It waits in the queue, because you are not free."
    lifecycle.force_contact(contact_id=contact.pk, operator_id=anna.pk)
    press(browser, contact, "resolve")
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True})
    said = toast(press(browser, contact, "reopen"))["text"]
    assert said == "Open again: Ivan. Boris has it now, because you were not free."


@pytest.mark.both
def test_what_was_resolved_today_is_listed_the_latest_first(browser, bot):
    first, second, before = (characters.contact(bot) for _ in range(3))
    for contact in (second, first, before):
        press(browser, contact, "resolve")
    Contact.objects.filter(pk=before.pk).update(resolved_at=timezone.now() - timedelta(days=1))
    assert shown(browser, f"{DESK}?shown=done") == [first.pk, second.pk]
    assert shown(browser) == []


def test_it_is_given_back_with_a_reason(browser, contact):
    answer = press(browser, contact, "give-back", reason="On lunch")
    assert toast(answer)["text"] == "Given back: Ivan. It waits in the queue."
    assert json.loads(answer["HX-Trigger"])["closeDialog"] is True
    assert contact.history.order_by("pk").last().note == "On lunch"


def test_who_gives_back_is_told_who_has_it_now(browser, contact, boris):
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True})
    assert toast(press(browser, contact, "give-back"))["text"] == "Given back: Ivan. Boris has it now."
    assert stored(contact).operator == boris


def test_a_reason_that_is_too_long_stays_in_the_dialog(browser, contact):
    answer = press(browser, contact, "give-back", reason="x" * 201)
    assert "at most 200 characters" in answer.text
    assert "x" * 201 in answer.text
    assert stored(contact).status == "assigned"


def test_a_refusal_stays_in_the_dialog_with_what_was_typed(browser, contact, boris):
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    answer = press(browser, contact, "give-back", reason="On lunch")
    assert "Boris has this contact now. Nothing was changed." in answer.text
    assert 'value="On lunch"' in answer.text
    assert stored(contact).operator == boris


@pytest.mark.parametrize("button", ["take", "resolve", "reopen"])
def test_who_comes_too_late_is_told_who_has_it(browser, contact, boris, button):
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    said = toast(press(browser, contact, button))
    assert (said["text"], said["level"]) == ("Boris has this contact now. Nothing was changed.", "warning")
    assert (stored(contact).operator, stored(contact).accepted_at, stored(contact).is_resolved) == (boris, None, False)


@pytest.mark.parametrize("button", ["take", "resolve", "reopen"])
def test_who_never_had_it_learns_nothing_and_changes_nothing(browser, of_boris, button):
    before = stored(of_boris).updated_at
    nobodys = browser.post(f"{DESK}999999/{button}/")
    assert toast(press(browser, of_boris, button)) == toast(nobodys)
    assert stored(of_boris).updated_at == before


@pytest.mark.parametrize("button", ["give-back", "note"])
def test_a_dialog_about_others_contacts_is_refused(browser, of_boris, button):
    sent = {"reason": "x", "text": "x"}
    assert browser.get(f"{DESK}{of_boris.pk}/{button}/").status_code == 403
    assert press(browser, of_boris, button, **sent).status_code == 403
    assert browser.get(f"{DESK}999999/{button}/").status_code == 403
    assert (stored(of_boris).operator.name, ContactNote.objects.count()) == ("Boris", 0)


@pytest.mark.parametrize("button", ["take", "resolve", "reopen", "duty"])
def test_a_link_presses_nothing(browser, contact, button):
    address = f"{DESK}duty/off/" if button == "duty" else f"{DESK}{contact.pk}/{button}/"
    assert browser.get(address).status_code == 405


@pytest.mark.parametrize("role", [None, SUPERVISOR])
def test_who_answers_no_contacts_opens_and_presses_nothing(contact, role):
    other = people.at_the_browser(people.account("vera", *filter(None, [role])))
    addresses = ["", "live/", "pause/", f"{contact.pk}/give-back/", f"{contact.pk}/note/"]
    assert {other.get(DESK + address).status_code for address in addresses} == {403}
    buttons = ["duty/off/", *(f"{contact.pk}/{button}/" for button in ("take", "resolve", "reopen", "give-back"))]
    assert {other.post(DESK + button).status_code for button in buttons} == {403}
    assert (stored(contact).status, stored(contact).accepted_at) == ("assigned", None)


def test_a_supervisor_who_answers_too_finds_the_desk_in_the_sidebar(anna, contact):
    both = people.account("olga", OPERATOR, SUPERVISOR)
    Operator.objects.filter(pk=anna.pk).update(user=both)
    browser = people.at_the_browser(both)
    assert DESK in browser.get("/admin/routing/source/").text
    assert shown(browser) == [contact.pk]


def test_a_note_is_added_and_shown_with_its_author(browser, contact):
    assert toast(press(browser, contact, "note", text="Calls <b>back</b>"))["text"] == "The note was added."
    page = browser.get(DESK).text
    assert "Calls &lt;b&gt;back&lt;/b&gt;" in page
    assert "user anna" in page


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
def test_a_note_that_says_nothing_or_too_much_stays_in_the_dialog(browser, contact, text):
    answer = press(browser, contact, "note", text=text)
    assert answer.status_code == 200
    assert "HX-Trigger" not in answer
    assert ContactNote.objects.count() == 0


def test_a_note_on_what_a_colleague_has_now_is_refused(browser, contact, boris):
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    answer = press(browser, contact, "note", text="Calls back")
    assert "Boris has this contact now." in answer.text
    assert "Calls back</textarea>" in answer.text.replace("\n", "")
    assert ContactNote.objects.count() == 0


def test_the_name_of_a_client_who_was_erased_is_gone(browser, contact):
    erasure.erase_lead(lead_id=contact.lead_id)
    assert "Ivan" not in browser.get(f"{DESK}?shown=done").text


# The duty.


def test_off_duty_and_back_by_undo(browser, anna, bot):
    said = toast(duty(browser, "off"))
    assert (said["text"], stored(anna).is_active) == ("You are off duty.", False)
    assert "You are off duty. New contacts come when you are on duty." in browser.get(DESK).text
    assert toast(browser.post(said["undo"]))["text"] == "You are on duty."
    assert stored(anna).is_active


def test_a_pause_ends_by_undo(browser, anna, bot):
    said = toast(duty(browser, "pause_30"))
    assert said["text"].startswith("You are paused until ")
    assert "You are paused until" in browser.get(DESK).text
    browser.post(said["undo"])
    assert (stored(anna).is_active, stored(anna).paused_until) == (True, None)


@pytest.mark.parametrize("button", ["resume", "on"])
def test_a_pause_that_was_ended_begins_again_by_undo(browser, anna, bot, button):
    duty(browser, "pause_60")
    until = stored(anna).paused_until
    said = toast(duty(browser, button))
    assert stored(anna).is_active
    browser.post(said["undo"])
    assert (stored(anna).is_active, stored(anna).paused_until) == (False, until)


@pytest.mark.parametrize("until", ["", "x", "2099-13-01T00:00:00Z", "2099-01-01T00:00:00", "2001-01-01T00:00:00Z"])
def test_a_pause_until_nonsense_is_refused(browser, anna, until):
    assert toast(browser.post(f"{DESK}duty/pause_again/?until={until}"))["level"] == "warning"
    assert stored(anna).is_active


def test_a_pause_until_a_time_of_day(browser, anna):
    assert 'type="time"' in browser.get(f"{DESK}pause/").text
    assert "This field is required" in browser.post(f"{DESK}pause/", {"until": ""}).text
    at = timezone.localtime() + timedelta(hours=2)
    said = toast(browser.post(f"{DESK}pause/", {"until": f"{at:%H:%M}"}))
    assert said["text"].startswith("You are paused until ")
    assert stored(anna).paused_until == at.replace(second=0, microsecond=0)


def test_there_is_no_other_button_of_duty(browser, anna):
    assert duty(browser, "archive").status_code == 404


def test_the_shift_of_today_and_the_load_stand_on_top(browser, anna, contact):
    week = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in range(1, 8)]
    duty_edges.set_schedule(operator_id=anna.pk, time_zone="UTC", shifts=week)
    page = browser.get(DESK).text
    assert "Today: around the clock" in page
    assert "1 of 10" in page


def test_who_is_on_no_roster_is_told_so(browser):
    assert "You are on no roster" in browser.get(DESK).text


def test_who_is_free_is_told_that_nothing_waits(browser, bot):
    assert "New contacts appear here by themselves." in browser.get(DESK).text


# The part that follows what happens.


@pytest.mark.both
def test_nothing_new_costs_no_page(browser, contact, frozen_minute):
    first = browser.get(LIVE)
    assert browser.get(LIVE, headers={"If-None-Match": first["ETag"]}).status_code == 304


@pytest.mark.both
@pytest.mark.parametrize("news", ["arrival", "note", "taken", "pause", "limit"])
def test_news_is_another_version(browser, bot, anna, contact, frozen_minute, news):
    tag = browser.get(LIVE)["ETag"]
    acts = {
        "arrival": lambda: characters.contact(bot),
        "note": lambda: notes.add_note(contact.pk, "Calls back", "user anna"),
        "taken": lambda: taking.accept_contact(contact_id=contact.pk),
        "pause": lambda: duty(browser, "pause_30"),
        "limit": lambda: operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3}),
    }
    acts[news]()
    assert browser.get(LIVE, headers={"If-None-Match": tag}).status_code == 200


def test_the_title_and_the_live_part_count_what_is_not_taken(browser, bot):
    taken, *_ = (characters.contact(bot) for _ in range(3))
    taking.accept_contact(contact_id=taken.pk)
    assert "(2) My contacts" in browser.get(DESK).text
    assert browser.get(LIVE).text.count("data-untaken=") == 2


# The switches of alerts.


@pytest.mark.parametrize("alert", ["shows_notifications", "plays_sound"])
def test_an_alert_is_kept_in_the_profile(browser, anna, alert):
    for value in ("true", "false"):
        assert browser.post("/admin/my-alerts/", {"alert": alert, "value": value}).status_code == 204
        assert getattr(type(anna.user).objects.get().profile, alert) is (value == "true")


@pytest.mark.parametrize("sent", [{}, {"alert": "time_zone", "value": "true"}, {"alert": "plays_sound", "value": "x"}])
def test_nothing_else_is_switched(browser, anna, sent):
    assert browser.post("/admin/my-alerts/", sent).status_code == 400
    assert not hasattr(type(anna.user).objects.get(), "profile")
