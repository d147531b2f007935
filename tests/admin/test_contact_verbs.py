"""What supervisors do with contacts by one press or many at once, and what they are told."""

import json

import pytest
from django.contrib.auth.models import Permission

from leads import erasure
from routing import lifecycle
from routing.models import Contact
from tests import characters
from tests.admin import pages

CONTACTS = "/admin/routing/contact/"
PRESS = {"HX-Request": "true"}


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=2)


@pytest.fixture
def boris(db):
    return characters.operator("Boris", limit=1)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10})


def act(client, action, *contacts, holders=()):
    """Presses a button of the bar below the list; `holders` are the operators whom the user sees there."""
    sent = {"action": f"{action}_selected", "_selected_action": [contact.pk for contact in contacts], "index": "0"}
    return client.post(CONTACTS, sent | {"holder": list(holders)}, headers=PRESS)


def toast(answer):
    return json.loads(answer.headers["HX-Trigger"])["toast"]


def states(*contacts):
    return [Contact.objects.get(pk=contact.pk).status for contact in contacts]


def test_one_press_resolves_and_one_takes_it_back(supervisor, bot, anna):
    contact = characters.contact(bot)
    answer = supervisor.post(pages.button(contact, "resolve_this"), headers=PRESS)
    assert (toast(answer)["text"], states(contact)) == ("1 contact was resolved.", ["resolved"])
    again = supervisor.post(toast(answer)["undo"], headers=PRESS)
    assert (toast(again)["text"], states(contact)) == ("1 contact was reopened.", ["assigned"])
    assert characters.load(anna) == 1


def test_the_page_and_the_lists_ask_for_what_is_new_at_once(supervisor, bot):
    answer = supervisor.post(pages.button(characters.contact(bot), "resolve_this"), headers=PRESS)
    assert json.loads(answer.headers["HX-Trigger"])["refresh"] is True


@pytest.mark.parametrize("action", ["resolve_this", "reopen_this"])
def test_a_link_changes_nothing(supervisor, bot, action):
    contact = characters.contact(bot)
    assert supervisor.get(pages.button(contact, action)).status_code == 405
    assert states(contact) == ["assigned"]


def test_selected_contacts_are_resolved_and_those_are_reopened(supervisor, bot):
    before, first, second = (characters.contact(bot) for _ in range(3))
    lifecycle.resolve_contact(contact_id=before.pk)
    answer = act(supervisor, "resolve", before, first, second)
    assert toast(answer)["text"] == "2 contacts were resolved."
    supervisor.post(toast(answer)["undo"], headers=PRESS)
    assert states(before, first, second) == ["resolved", "assigned", "assigned"]


def test_contacts_that_have_left_the_tab_meanwhile_are_not_forgotten(supervisor, bot):
    contact = characters.contact(bot)  # assigned, while the user looks at what waits
    assert toast(act(supervisor, "resolve", contact))["text"] == "1 contact was resolved."


def test_each_outcome_is_told_in_words(supervisor, bot, anna, boris):
    assigned, resolved = characters.contact(bot), characters.contact(bot)
    lifecycle.resolve_contact(contact_id=resolved.pk)
    answer = act(supervisor, "return", assigned, resolved)
    assert toast(answer)["level"] == "error"
    assert toast(answer)["text"].split("\n") == [
        "1 contact was returned to the queue.",
        f"Contact {resolved.pk}. It is resolved. Reopen it first.",
    ]


def test_what_somebody_else_has_meanwhile_is_not_touched(supervisor, bot, anna, boris):
    contact = characters.contact(bot)
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    answer = act(supervisor, "resolve", contact, holders=[f"{contact.pk}:{anna.pk}"])
    assert toast(answer)["text"] == f"Contact {contact.pk}. Boris has this contact now. Nothing was changed."
    assert states(contact) == ["assigned"]
    assert toast(answer)["undo"] == ""


@pytest.mark.parametrize("holder", ["odd", "1", ":", "1:x", "999999999999999999999:1"])
def test_an_odd_expectation_is_none(supervisor, bot, holder):
    contact = characters.contact(bot)
    act(supervisor, "resolve", contact, holders=[holder])
    assert states(contact) == ["resolved"]


def give(client, contact, **filled):
    return client.post(pages.button(contact, "give_this"), {"_form_submitted": "True"} | filled, headers=PRESS)


def test_a_refused_assignment_keeps_the_dialog_and_the_choice_and_says_why(supervisor, bot, boris):
    characters.contact(characters.source(roster={boris: 10}))
    contact = characters.contact(bot)
    answer = give(supervisor, contact, operator=boris.pk, force="False")  # as a hidden field sends it
    assert "This operator is at the limit." in answer.text
    assert not answer.context["form"]["force"].value()
    assert f'<option value="{boris.pk}" selected>' in answer.text
    assert 'type="checkbox" name="force"' in answer.text
    assert "HX-Refresh" not in answer.headers
    assert give(supervisor, contact, operator=boris.pk, force="on").headers["HX-Refresh"] == "true"
    assert Contact.objects.get(pk=contact.pk).operator == boris


def test_assigning_beyond_the_limit_is_offered_only_where_it_helps(supervisor, bot, anna, boris):
    contact = characters.contact(bot)
    dialog = supervisor.get(pages.button(contact, "give_this")).text
    assert 'type="checkbox" name="force"' not in dialog
    lifecycle.resolve_contact(contact_id=contact.pk)
    answer = give(supervisor, contact, operator=boris.pk)
    assert "It is resolved." in answer.text
    assert 'type="checkbox" name="force"' not in answer.text


def test_who_comes_second_is_told_and_may_insist(supervisor, bot, anna, boris):
    contact, vera = characters.contact(bot), characters.operator("Vera")
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    answer = give(supervisor, contact, operator=vera.pk, holder=f"{contact.pk}:{anna.pk}")
    assert "Boris has this contact now." in answer.text
    assert Contact.objects.get(pk=contact.pk).operator == boris
    assert f'value="{contact.pk}:{boris.pk}"' in answer.text


def give_many(client, *contacts, **filled):
    query = "&".join(f"_selected_action={contact.pk}" for contact in contacts)
    return client.post(f"{CONTACTS}give_many/?{query}", {"_form_submitted": "True"} | filled, headers=PRESS)


def test_many_are_assigned_to_one_operator(supervisor, anna):
    waiting = [characters.contact(characters.source()) for _ in range(2)]
    answer = give_many(supervisor, *waiting, operator=anna.pk)
    assert answer.headers["HX-Refresh"] == "true"
    assert pages.said(answer) == ["2 contacts were assigned to Anna."]
    assert characters.load(anna) == 2


def test_of_many_those_that_do_not_fit_are_told_and_may_be_forced(supervisor, boris):
    waiting = [characters.contact(characters.source()) for _ in range(3)]
    answer = give_many(supervisor, *waiting, operator=boris.pk)
    assert "1 contact was assigned to Boris." in answer.text
    assert f"Contact {waiting[1].pk}, Contact {waiting[2].pk}. This operator is at the limit." in answer.text
    assert give_many(supervisor, *waiting, operator=boris.pk, force="on").headers["HX-Refresh"] == "true"
    assert states(*waiting) == ["assigned"] * 3
    assert characters.load(boris) == 3


def test_an_erased_contact_offers_nothing(supervisor, bot):
    contact = characters.contact(bot)
    erasure.erase_lead(lead_id=contact.lead_id)
    assert pages.offered(supervisor, contact) == []


def test_the_bar_offers_what_fits_the_tab(supervisor, bot):
    def bar(tab):
        buttons = supervisor.get(f"{CONTACTS}?status={tab}").context["bulk_buttons"]
        return [button["action"] for button in buttons]

    assert bar("assigned") == ["resolve_selected", "return_selected", "reroute_selected"]
    assert bar("resolved") == ["reopen_selected"]


def test_who_may_only_look_has_no_bar(client, django_user_model, bot):
    olga = django_user_model.objects.create_user("olga", is_staff=True)
    olga.user_permissions.add(Permission.objects.get(codename="view_contact"))
    client.force_login(olga)
    contact = characters.contact(bot)
    assert client.get(CONTACTS).context["bulk_buttons"] == []
    assert pages.offered(client, contact) == []
    refused = [pages.button(contact, name) for name in ("resolve_this", "reopen_this", "give_this")]
    refused += [f"{CONTACTS}reopen/?id={contact.pk}", f"{CONTACTS}give_many/?_selected_action={contact.pk}"]
    assert [client.post(url).status_code for url in refused] == [403] * 5
