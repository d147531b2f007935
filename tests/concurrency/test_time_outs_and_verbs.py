"""A contact times out at the moment at which a button is pressed, or at which it is changed: one comes first."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.utils import timezone

from core.errors import Conflict
from operators.models import Operator
from routing import contact_changes, duty_edges, lifecycle, operator_actions, taking, time_outs
from routing.models import Contact, Source
from tests import characters
from tests.concurrency.judge import judged as judged  # a fixture
from tests.concurrency.test_time_outs import loose, meeting
from tests.concurrency.threads import together
from tests.notifications.messenger import courier as people
from tests.notifications.messenger.conftest import courier, telegram  # noqa: F401 # fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

CHAT = 1001
TOOK, WITH_BORIS = "You have taken it.", "Boris has it."


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def bot(anna, boris):
    made = characters.source(roster={anna: 10, boris: 10})
    Source.objects.update(accept_within=60)
    return made


@pytest.fixture
def contact(bot):
    """One of Anna's, who alone is on duty."""
    return characters.contact(bot)


@pytest.fixture
def due(contact):
    """It is due, and Boris is on duty from now on."""
    Operator.objects.update(is_active=True)
    Contact.objects.update(due_at=timezone.now())
    return contact


@pytest.fixture
def both_have_read_it(monkeypatch):
    """Both have found the contact as it was, before either goes on."""
    both = Barrier(2)
    for module, name in ((lifecycle, "find_contact"), (time_outs, "find_due")):
        monkeypatch.setattr(module, name, meeting(getattr(module, name), both))


def time_out(contact):
    return time_outs.time_out_contact(contact_id=contact.pk, now=timezone.now())


def kinds(contact):
    return list(contact.history.order_by("pk").values_list("what", flat=True))


def look_once(monkeypatch):
    """Nobody looks again under the locks whether the contact is as it was read."""
    update_of = contact_changes.update_of.__wrapped__
    monkeypatch.setattr(contact_changes, "MOMENTS", ("resolved_at",))
    monkeypatch.setattr(time_outs, "lock_due_contact", lambda contact: None)
    monkeypatch.setattr(contact_changes, "update_of", lambda names, is_assigned, empty: loose(update_of, names))


class TestButton:
    """Anna presses *Take* in Telegram; what she presses is read and done by the worker of messages."""

    @pytest.fixture
    def server(self, courier, anna):  # noqa: F811
        people.link(courier.server, anna, CHAT)
        return courier.server

    @pytest.fixture
    def contact(self, server, courier, bot):  # noqa: F811
        """One with Anna, of which she was told."""
        made = characters.contact(bot)
        courier.deliver()
        return made

    @pytest.fixture
    def race(self, server, due, both_have_read_it):
        return lambda: together(lambda: people.press(server, CHAT, "Take"), lambda: time_out(due))

    @pytest.mark.parametrize("run", range(5))
    def test_of_the_button_and_the_time_out_exactly_one_wins_and_the_person_is_told(self, anna, boris, due, race, run):
        said, timed_out = race()
        found = Contact.objects.get()
        if timed_out:
            assert (said, found.operator, found.accepted_at) == (WITH_BORIS, boris, None)
            assert "accepted" not in kinds(due)
        else:
            assert (said, found.operator, found.due_at) == (TOOK, anna, None)
            assert "timed_out" not in kinds(due)
        assert characters.findings() == []

    def test_without_looking_again_both_would_win(self, due, race, monkeypatch):
        """The control for the test above."""
        look_once(monkeypatch)
        assert race() == [TOOK, True]
        assert {"accepted", "timed_out"} <= set(kinds(due))


def go_on_leave(contact, anna, boris):
    now = timezone.now()
    duty_edges.add_absence(operator_id=anna.pk, start=now, end=now + timedelta(days=1), handover=True)


VERBS = {
    "take": lambda contact, anna, boris: taking.accept_contact(contact_id=contact.pk, expected_operator_id=anna.pk),
    "reply": lambda contact, anna, boris: taking.touch_contact(contact_id=contact.pk, expected_operator_id=anna.pk),
    "decline": lambda contact, anna, boris: taking.decline_contact(contact_id=contact.pk, expected_operator_id=anna.pk),
    "resolve": lambda contact, anna, boris: lifecycle.resolve_contact(
        contact_id=contact.pk, expected_operator_id=anna.pk
    ),
    "reassign": lambda contact, anna, boris: lifecycle.give_contact(
        contact_id=contact.pk, operator_id=boris.pk, expected_operator_id=anna.pk
    ),
    "reroute": lambda contact, anna, boris: lifecycle.reroute_contact(
        contact_id=contact.pk, expected_operator_id=anna.pk
    ),
    "return": lambda contact, anna, boris: lifecycle.return_contact(
        contact_id=contact.pk, expected_operator_id=anna.pk
    ),
    "hand over": lambda contact, anna, boris: operator_actions.hand_over(operator_id=anna.pk),
    "off duty": lambda contact, anna, boris: operator_actions.change_operator(
        operator_id=anna.pk, changes={"is_active": False}
    ),
    "pause": lambda contact, anna, boris: duty_edges.pause_operator(operator_id=anna.pk, minutes=30),
    "leave": go_on_leave,
    "archive": lambda contact, anna, boris: operator_actions.archive_operator(operator_id=anna.pk),
    "other off duty": lambda contact, anna, boris: operator_actions.change_operator(
        operator_id=boris.pk, changes={"is_active": False}
    ),
    "lower the other's limit": lambda contact, anna, boris: operator_actions.change_operator(
        operator_id=boris.pk, changes={"max_load": 1}
    ),
}


@pytest.fixture
def more(due, bot, anna, boris):
    """Six more that are due, of both."""
    for _ in range(6):
        characters.contact(bot)
    Contact.objects.update(due_at=timezone.now())
    return list(Contact.objects.order_by("pk"))


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("run", range(2))
def test_whatever_happens_while_contacts_time_out_breaks_no_load_and_forgets_nobody(
    judged, anna, boris, due, more, name, run
):
    def do():
        try:
            VERBS[name](due, anna, boris)
        except Conflict as refusal:
            return refusal.code
        return None

    def time_all_out():
        return [time_out(contact) for contact in more]

    refusal, *timed_out = together(do, time_all_out, time_all_out)
    assert refusal in (None, "taken_away", "waiting")
    assert not any(map(all, zip(*timed_out, strict=True))), "One was taken away by both clocks."
    for contact in more:
        last = contact.history.order_by("pk").last()
        found = Contact.objects.get(pk=contact.pk)
        assert found.is_resolved or last.to_operator_id == found.operator_id
    assert characters.findings() == []


@pytest.mark.parametrize("name", ["decline", "resolve"])
def test_without_looking_again_a_load_breaks(anna, boris, due, both_have_read_it, monkeypatch, name):
    """The control for the test above."""
    look_once(monkeypatch)
    together(lambda: VERBS[name](due, anna, boris), lambda: time_out(due))
    assert "timed_out" in kinds(due)
    assert len(kinds(due)) == 3
    assert characters.findings() != []
