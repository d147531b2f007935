"""What each lock is for: somebody has just decided under it and is not done; who comes then waits and looks again.

Each test fails when its lock is taken out of the code.
"""

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from accounts.roles import SUPERVISOR
from core import events
from core.errors import Conflict, Unknown
from core.retry import Lost
from leads import contact_editing, registration
from operators.load import lock_operators
from operators.models import Operator
from routing import assignment, handover, history, invariants, lifecycle, operator_actions, source_actions
from routing.models import RosterEntry
from routing.roster_writing import write_roster
from routing.rosters import Roster
from tests import characters
from tests.accounts import people
from tests.concurrency.threads import Pause, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def pause():
    return Pause()


@pytest.fixture
def stored(pause, monkeypatch):
    """The first who has changed a contact stops before its commit."""
    monkeypatch.setattr(history, "publish_move", pause.stops_once(history.publish_move))
    return pause


@pytest.fixture
def lost(monkeypatch):
    """The causes for which transactions have started again."""
    causes = []

    def note(event):
        if isinstance(event, Lost):
            causes.append(event.cause)

    monkeypatch.setattr(events, "listeners", [note])
    return causes


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 10})


@pytest.fixture
def contact(bot):
    return characters.contact(bot)


VERBS = {
    "resolve": lambda contact, boris: lifecycle.resolve_contact(contact_id=contact.pk),
    "put back": lambda contact, boris: lifecycle.return_contact(contact_id=contact.pk),
    "force": lambda contact, boris: lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk),
    "correct": lambda contact, boris: contact_editing.edit_contact(
        contact_id=contact.pk, changes={"message": "Hello", "is_resolved": True}
    ),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=[*VERBS])
def test_whoever_changes_a_contact_locks_its_operator_first(contact, anna, boris, pause, lost, monkeypatch, verb):
    """A hand-over holds the operator and comes to the contact: the other way round they would deadlock."""
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    monkeypatch.setattr(handover, "LockedRosters", pause.stops_once(assignment.LockedRosters))
    wait_for(
        pause,
        lambda: operator_actions.hand_over_on_duty(operator_id=anna.pk),
        lambda: verb(contact, boris),
    )
    assert "deadlock" not in lost
    assert characters.findings() == []


def test_a_place_given_by_hand_is_given_once(bot, boris, pause, monkeypatch):
    contacts = [characters.contact(bot) for _ in range(2)]
    Operator.objects.filter(pk=boris.pk).update(is_active=True, max_load=1)
    monkeypatch.setattr(lifecycle, "raise_if_not_free", pause.stops_once(lifecycle.raise_if_not_free))
    give = [
        lambda pk=contact.pk: lifecycle.give_contact(contact_id=pk, operator_id=boris.pk, by="test")
        for contact in contacts
    ]
    _, refused = wait_for(pause, *give)
    assert isinstance(refused, Conflict)
    assert characters.load(boris) == 1


def test_a_place_taken_by_reopening_is_taken_once(bot, anna, pause, monkeypatch):
    contacts = [characters.contact(bot) for _ in range(2)]
    for contact in contacts:
        lifecycle.resolve_contact(contact_id=contact.pk)
    Operator.objects.filter(pk=anna.pk).update(max_load=1)
    monkeypatch.setattr(lifecycle, "lock_if_free", pause.stops_once(lifecycle.lock_if_free))
    reopened = wait_for(pause, *[lambda pk=one.pk: lifecycle.reopen_contact(contact_id=pk) for one in contacts])
    assert [found.operator_id for found in reopened] == [anna.pk, None]
    assert characters.findings() == []


def test_after_lost_races_nobody_on_the_roster_can_change_any_more(bot, anna, boris, pause, monkeypatch):
    """Boris has not been drawn, and cannot come on duty either until the contact is stored."""
    assign = assignment.assign
    late = {"attempt": assignment.PATIENCE}
    monkeypatch.setattr(registration, "assign", lambda **asked: assign(**(asked | late)))
    monkeypatch.setattr(Roster, "read_again", pause.stops_once(Roster.read_again))
    change = {"is_active": True}
    registered, _ = wait_for(
        pause,
        lambda: characters.contact(bot),
        lambda: operator_actions.change_operator(operator_id=boris.pk, changes=change),
    )
    assert registered.operator_id == anna.pk


def test_two_who_replace_a_roster_leave_one_of_the_two(bot, anna, boris, pause, monkeypatch):
    """Otherwise the second would not see whom the first has put on it."""
    vera = characters.operator("Vera")
    source_actions.replace_roster(source_id=bot.pk, weights=[])
    monkeypatch.setattr(source_actions, "write_roster", pause.stops_once(write_roster))

    def replace(operator):
        return lambda: source_actions.replace_roster(
            source_id=bot.pk, weights=[{"operator_id": operator.pk, "weight": 5}]
        )

    wait_for(pause, replace(anna), replace(vera))
    assert list(RosterEntry.objects.values_list("operator", flat=True)) == [vera.pk]


def test_somebody_who_is_just_being_archived_is_not_changed(contact, anna, stored):
    _, refused = wait_for(
        stored,
        lambda: operator_actions.archive_operator(operator_id=anna.pk),
        lambda: operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 5}),
    )
    assert isinstance(refused, Unknown)


def test_a_load_is_counted_when_nobody_is_just_changing_it(bot, anna, stored):
    wait_for(stored, lambda: characters.contact(bot), lambda: invariants.mend_load(anna.pk))
    assert characters.load(anna) == 1


@pytest.fixture
def waiting(bot, anna):
    Operator.objects.filter(pk=anna.pk).update(is_active=False)
    return characters.contact(bot)


def test_a_source_is_closed_while_a_waiting_contact_is_given_to_somebody_else(bot, waiting, stored):
    """Its reason for waiting is set only if it still waits."""
    helper = characters.operator("Helper")
    given, closed = wait_for(
        stored,
        lambda: lifecycle.give_contact(contact_id=waiting.pk, operator_id=helper.pk),
        lambda: source_actions.archive_source(source_id=bot.pk),
    )
    assert (given.operator_id, closed) == (helper.pk, None)
    assert lifecycle.find_contact(waiting.pk).waiting_reason is None


def test_a_code_of_the_second_factor_is_taken_once(pause, monkeypatch):
    vera = people.account("vera", SUPERVISOR)
    code = people.shown_by(people.app_of(vera))
    monkeypatch.setattr(TOTPDevice, "verify_token", pause.stops_once(TOTPDevice.verify_token))
    devices = wait_for(pause, *[lambda: two_factor.matching_device(vera, code)] * 2)
    assert [device is not None for device in devices] == [True, False]


def test_two_accounts_that_change_operators_with_each_other_do_not_deadlock(lost, pause, monkeypatch):
    pair = [characters.operator(name) for name in ("Anna", "Boris")]
    users = [people.account(name, SUPERVISOR) for name in ("anna", "boris")]
    for user, operator in zip(users, pair, strict=True):
        operator_actions.link_account(user_id=user.pk, operator_id=operator.pk)
    monkeypatch.setattr(operator_actions, "lock_operators", pause.stops_once(lock_operators))
    wait_for(
        pause,
        lambda: operator_actions.link_account(user_id=users[0].pk, operator_id=pair[1].pk),
        lambda: operator_actions.link_account(user_id=users[1].pk, operator_id=pair[0].pk),
    )
    assert "deadlock" not in lost
    assert [Operator.objects.get(pk=one.pk).user_id for one in pair] == [users[1].pk, users[0].pk]
