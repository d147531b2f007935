"""What the events of the feed say, in the shape of the API, and that an erased person is in none of them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from leads import erasure, merging
from notifications import feed
from notifications.cursors import START
from notifications.event_data import CONTACT_TYPES
from routing import duty_edges, lifecycle, source_actions, taking
from routing.api.changes import ChangeSerializer
from routing.api.contacts import ContactSerializer
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)


def read_all(*types):
    return feed.read_feed(after=START, limit=200, types=types or CONTACT_TYPES)[0]


@pytest.fixture
def anna():
    return characters.operator("Anna", external_ref="tg:1")


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 1})


def test_the_data_of_a_contact_are_those_of_its_api_without_the_message(bot):
    contact = characters.contact(bot, message="Hello", lead_email="not an address")
    [assigned] = read_all("contact.assigned")
    shown = ContactSerializer(Contact.objects.get(pk=contact.pk)).data
    more = {"from_operator_id": None, "by": "API", "cause": "intake"}
    assert assigned.data == {name: value for name, value in shown.items() if name != "message"} | more | {
        "by": "system",
        "updated_at": assigned.data["updated_at"],
    }
    assert assigned.data["warnings"]


def test_each_event_shows_the_contact_as_it_was_then(anna, bot):
    contact = characters.contact(bot)
    taking.accept_contact(contact_id=contact.pk, by="user anna")
    lifecycle.resolve_contact(contact_id=contact.pk, by="user vera")
    lifecycle.reopen_contact(contact_id=contact.pk)
    told = [
        (event.type.removeprefix("contact."), event.data["assignment"]["status"], event.data["operator_id"])
        for event in read_all()
    ]
    assert told == [
        ("registered", "assigned", anna.pk),
        ("assigned", "assigned", anna.pk),
        ("accepted", "assigned", anna.pk),
        ("resolved", "resolved", anna.pk),
        ("reopened", "assigned", anna.pk),
        ("assigned", "assigned", anna.pk),
    ]
    accepted = [event.data["assignment"]["accepted_at"] is not None for event in read_all()]
    assert accepted == [False, False, True, True, False, False]


def test_a_declined_contact_names_who_had_it_and_who_has_it_now(anna, bot):
    boris = characters.operator("Boris")
    contact = characters.contact(bot)
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=1)
    taking.decline_contact(contact_id=contact.pk, by="user anna")
    declined, assigned = read_all("contact.declined", "contact.assigned")[1:]
    assert (declined.type, assigned.type) == ("contact.declined", "contact.assigned")
    assert (declined.from_operator_id, assigned.operator_id) == (anna.pk, boris.pk)
    assert assigned.data["assignment"]["offers"] == 2
    assert assigned.data["operator"] == {"id": boris.pk, "name": "Boris", "external_ref": None}


def test_a_waiting_contact_says_why():
    characters.contact(characters.source())
    [queued] = read_all("contact.queued")
    assert (queued.data["operator"], queued.data["assignment"]["reason"]) == (None, "no_operators")


def test_the_data_of_a_change_are_those_of_its_api(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 7})
    [changed] = read_all("operator.changed")
    assert changed.data == api.get(f"/api/v1/changes/{changed.data['id']}").json()
    assert set(changed.data) == set(ChangeSerializer().fields)


def test_merges_and_erasures_of_leads_are_events(bot):
    one, other = characters.contact(bot).lead_id, characters.contact(bot).lead_id
    merging.merge_leads(lead_id=one, other_id=other, by="user vera")
    merging.unmerge_lead(lead_id=other, by="user vera")
    erasure.erase_lead(lead_id=one, by="user vera")
    assert [(event.type, event.data) for event in read_all(*("lead.merged", "lead.unmerged", "lead.erased"))] == [
        ("lead.merged", {"lead_id": one, "merged_lead_id": other, "by": "user vera"}),
        ("lead.unmerged", {"lead_id": one, "unmerged_lead_id": other, "by": "user vera"}),
        ("lead.erased", {"lead_id": one, "by": "user vera"}),
    ]


def test_events_of_leads_are_no_changes_of_configuration(api, bot):
    erasure.erase_lead(lead_id=characters.contact(bot).lead_id)
    assert "lead.erased" not in {change["what"] for change in api.get("/api/v1/changes").json()["results"]}


def test_an_erased_person_is_in_no_event_that_is_read_afterwards(bot):
    """The control: everything is there before."""
    personal = {"lead_phone": "+79991234567", "lead_email": "wrong address", "message": "My name is Zoe"}
    contact = characters.contact(bot, **personal, lead_name="Zoe", lead_external_id="chat-zoe")
    taking.decline_contact(contact_id=contact.pk, reason="Zoe again")
    lifecycle.resolve_contact(contact_id=contact.pk)
    assert all(words in told() for words in ("wrong address", "My name is Zoe"))
    erasure.erase_lead(lead_id=contact.lead_id)
    assert not any(words in told() for words in ("9991234567", "wrong address", "Zoe", "chat-zoe"))


def told():
    """All that any reader can get."""
    events = feed.add_messages(read_all())
    again = feed.add_messages(feed.find_events([event.id for event in events]).values())
    return json.dumps([event.data for event in [*events, *again]], ensure_ascii=False)


def test_why_somebody_is_absent_is_not_sent(anna):
    begin = timezone.now() + timedelta(days=1)
    absence = duty_edges.add_absence(operator_id=anna.pk, start=begin, end=begin + timedelta(days=1), reason="Surgery")
    duty_edges.cancel_absence(operator_id=anna.pk, absence_id=absence.pk)
    sent = [event.data for event in read_all("operator.changed")]
    assert [change["what"] for change in sent] == ["operator.absence_added", "operator.absence_cancelled"]
    assert "Surgery" not in json.dumps(sent)
