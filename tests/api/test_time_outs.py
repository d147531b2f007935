"""Time-outs through the API: the settings of a source, the due moment of a contact, and the list of overdue ones."""

from datetime import UTC, datetime

import pytest
import time_machine

from routing import clock, taking
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

API = "/api/v1"
NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
SETTINGS = {"accept_within": 60, "max_offers": 2, "off_duty_after_missed": 3}


@pytest.fixture
def now():
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def bot(api, now, anna):
    source = characters.source(roster={anna: 10})
    assert api.patch(f"{API}/sources/{source.pk}", {"accept_within": 60}).status_code == 200
    return source


def read(api, contact):
    return api.get(f"{API}/contacts/{contact.pk}").json()


def listed(api, query):
    return [one["id"] for one in api.get(f"{API}/contacts?{query}").json()["results"]]


def test_a_source_has_the_settings_from_its_creation(api):
    made = api.post(f"{API}/sources", {"name": "Site"} | SETTINGS).json()
    assert made.items() >= SETTINGS.items()
    assert list(made)[-3:] == list(SETTINGS)
    assert api.get(f"{API}/sources/{made['id']}").json().items() >= SETTINGS.items()


def test_without_them_nothing_is_ever_taken_away(api):
    made = api.post(f"{API}/sources", {"name": "Site"}).json()
    assert [made[name] for name in SETTINGS] == [None, 3, None]


@pytest.mark.parametrize(
    "bad",
    [
        *({"accept_within": value} for value in (0, 9, -1, 1.5, "soon", True, 2_592_001, [60])),
        *({"max_offers": value} for value in (0, 101, None, "many")),
        *({"off_duty_after_missed": value} for value in (0, 101, "often")),
    ],
    ids=str,
)
def test_a_value_that_makes_no_sense_is_refused(api, bot, bad):
    answer = api.patch(f"{API}/sources/{bot.pk}", bad)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, list(bad))
    assert api.get(f"{API}/sources/{bot.pk}").json()["accept_within"] == 60


def test_each_change_is_recorded_and_can_be_reverted(api, bot):
    [change] = api.get(f"{API}/changes?source_id={bot.pk}").json()["results"][:1]
    assert (change["before"], change["after"]) == ({"accept_within": None}, {"accept_within": 60})
    assert api.post(f"{API}/changes/{change['id']}/revert").status_code == 200
    assert api.get(f"{API}/sources/{bot.pk}").json()["accept_within"] is None


def test_a_contact_says_by_when_it_must_be_taken(api, bot):
    asked = {"source_id": bot.pk, "lead_phone": characters.somebody_new()}
    due_at = "2026-11-27T09:01:00Z"
    made = api.post(f"{API}/contacts", asked).json()
    batch = api.post(f"{API}/contacts/batch", {"contacts": [asked]}).json()["results"][0]["contact"]
    assert [one["assignment"]["due_at"] for one in (made, batch)] == [due_at] * 2
    found = api.get(f"{API}/contacts").json()["results"]
    assert [one["assignment"]["due_at"] for one in found] == [due_at] * 2
    taken = api.post(f"{API}/contacts/{made['id']}/accept").json()
    assert taken["assignment"]["due_at"] is None


def test_after_a_time_out_the_contact_waits_because_nobody_reacted(api, bot, now):
    contact = characters.contact(bot)
    now.shift(60)
    clock.tick()
    assert read(api, contact)["assignment"].items() >= {"reason": "nobody_reacted", "due_at": None, "offers": 1}.items()
    why = api.get(f"{API}/contacts/{contact.pk}/decision").json()
    assert (why["cause"], why["chosen"], why["reason"]) == ("timeout", None, "nobody_reacted")
    assert [line["what"] for line in api.get(f"{API}/contacts/{contact.pk}/history").json()] == [
        *("registered", "timed_out")
    ]
    assert api.get(f"{API}/queue").json()[0]["reason"] == "nobody_reacted"


def test_who_takes_it_too_late_is_told(api, anna, bot, now):
    contact = characters.contact(bot)
    now.shift(60)
    clock.tick()
    answer = api.post(f"{API}/contacts/{contact.pk}/accept", {"expected_operator_id": anna.pk})
    assert (answer.status_code, answer.json()["code"]) == (409, "taken_away")


class TestOverdue:
    @pytest.fixture
    def overdue(self, bot, now):
        """As long as the clock stands still."""
        contact = characters.contact(bot)
        now.shift(60)
        return contact

    def test_the_overdue_ones_are_listed(self, api, bot, overdue):
        in_time = characters.contact(bot)
        assert listed(api, "overdue=true") == [overdue.pk]
        assert listed(api, "overdue=false") == [in_time.pk]

    def test_what_was_taken_is_not_overdue(self, api, overdue):
        taking.accept_contact(contact_id=overdue.pk)
        assert (listed(api, "overdue=true"), listed(api, "overdue=false")) == ([], [overdue.pk])

    @pytest.mark.parametrize("bad", ["yes", "1", "True", "null"])
    def test_anything_else_is_refused(self, api, bad):
        answer = api.get(f"{API}/contacts?overdue={bad}")
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["overdue"])


@pytest.mark.django_db(transaction=True)
def test_the_event_says_from_whom_and_why(api, anna, bot, now):
    contact = characters.contact(bot)
    now.shift(60)
    clock.tick()
    events = api.get(f"{API}/events?after=0&types=contact.timed_out,contact.queued,contact.assigned").json()["events"]
    assert [event["type"] for event in events] == ["contact.assigned", "contact.timed_out", "contact.queued"]
    for event in events[1:]:
        data = event["data"]
        assert (data["id"], data["from_operator_id"], data["by"], data["cause"]) == (
            *(contact.pk, anna.pk, "system"),
            "timeout",
        )


@pytest.mark.django_db(transaction=True)
def test_the_event_of_an_offer_has_the_due_moment_while_it_stands(api, bot):
    contact = characters.contact(bot)
    ask = f"{API}/events?after=0&types=contact.assigned"
    assert api.get(ask).json()["events"][0]["data"]["assignment"]["due_at"] == "2026-11-27T09:01:00Z"
    taking.accept_contact(contact_id=contact.pk)
    assert api.get(ask).json()["events"][0]["data"]["assignment"]["due_at"] is None
    assert Contact.objects.get().due_at is None
