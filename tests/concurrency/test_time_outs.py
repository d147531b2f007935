"""A contact is taken at the very moment at which it is taken away: exactly one wins, and the other one is told."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.utils import timezone

from core.errors import Conflict
from operators.models import Operator
from routing import clock, contact_changes, due_moments, lifecycle, operator_actions, source_actions, taking, time_outs
from routing.models import Contact, Source, Upkeep
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

HOUR = timedelta(hours=1)


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
def due(bot):
    """A contact of Anna's that is due; Boris is on duty only from then on."""
    contact = characters.contact(bot)
    Operator.objects.update(is_active=True)
    Contact.objects.update(due_at=timezone.now())
    return contact


@pytest.fixture
def both_have_read_it(monkeypatch):
    """Both have found that nobody has taken it yet, before either goes on."""
    both = Barrier(2)
    for module, name in ((lifecycle, "find_contact"), (time_outs, "find_due")):
        monkeypatch.setattr(module, name, meeting(getattr(module, name), both))


def meeting(find, barrier):
    """The function, which meets the other one after its first call."""
    meetings = iter([barrier.wait])

    def find_and_meet(*asked):
        found = find(*asked)
        for meet in meetings:
            meet(60)
            break
        return found

    return find_and_meet


def outcome(verb, **asked):
    """None, or the code of the refusal."""
    try:
        verb(**asked)
    except Conflict as refusal:
        return refusal.code
    return None


def time_out(contact):
    return time_outs.time_out_contact(contact_id=contact.pk, now=timezone.now())


def kinds(contact):
    return list(contact.history.order_by("pk").values_list("what", flat=True))


@pytest.mark.parametrize("verb", [taking.accept_contact, taking.touch_contact])
@pytest.mark.parametrize("run", range(5))
def test_of_taking_it_and_taking_it_away_exactly_one_wins(anna, boris, due, both_have_read_it, verb, run):
    refusal, timed_out = together(
        lambda: outcome(verb, contact_id=due.pk, expected_operator_id=anna.pk), lambda: time_out(due)
    )
    found = Contact.objects.get(pk=due.pk)
    if timed_out:
        assert (refusal, found.operator, found.accepted_at) == ("taken_away", boris, None)
        assert kinds(due) == ["registered", "timed_out"]
    else:
        assert (refusal, found.operator, found.due_at) == (None, anna, None)
        assert "timed_out" not in kinds(due)
    assert characters.findings() == []


def test_without_looking_again_both_would_win(anna, due, both_have_read_it, monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(contact_changes, "MOMENTS", ("resolved_at",))
    monkeypatch.setattr(time_outs, "lock_due_contact", lambda contact: None)
    update_of = contact_changes.update_of.__wrapped__
    monkeypatch.setattr(contact_changes, "update_of", lambda names, is_assigned, empty: loose(update_of, names))
    together(
        lambda: outcome(taking.accept_contact, contact_id=due.pk, expected_operator_id=anna.pk), lambda: time_out(due)
    )
    assert {"accepted", "timed_out"} <= set(kinds(due))


def loose(update_of, names):
    """The update of a contact whoever has it now."""
    found = update_of(names, True, ())
    build = found.build

    def whoever(*values):
        _, fields = build(*values)
        return Contact.objects.filter(pk=values[0]), fields

    found.build = whoever
    return found


def test_two_clocks_take_it_away_once(anna, boris, due):
    assert sorted(together(*[lambda: time_out(due)] * 4)) == [False, False, False, True]
    assert kinds(due) == ["registered", "timed_out"]
    anna.refresh_from_db()
    assert (anna.missed_in_a_row, characters.load(anna), characters.load(boris)) == (1, 0, 1)


def test_a_clock_that_is_half_a_minute_ahead_takes_nothing_away_twice(boris, due):
    ahead = timezone.now() + timedelta(seconds=30)
    together(lambda: time_outs.time_out_due(ahead), lambda: time_outs.time_out_due(timezone.now()))
    assert (kinds(due), Contact.objects.get().operator) == (["registered", "timed_out"], boris)


@pytest.mark.parametrize("run", range(3))
def test_going_off_duty_at_that_moment_stops_the_clock_or_comes_too_late(anna, boris, due, run):
    together(
        lambda: operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False}),
        lambda: time_out(due),
    )
    found = Contact.objects.get()
    assert (found.operator, found.due_at is None, found.due_left) in ((anna, True, 0.0), (boris, False, None))
    assert characters.findings() == []


@pytest.mark.parametrize("run", range(3))
def test_a_contact_that_is_given_while_the_duty_ends_has_a_clock_that_fits_it(anna, boris, bot, run):
    contact = characters.contact(bot)
    together(
        lambda: lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk),
        lambda: operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True}),
    )
    found = Contact.objects.get()
    assert (found.operator, found.due_at is None, found.due_left) == (boris, False, None)


@pytest.mark.parametrize("run", range(3))
def test_a_limit_that_ends_at_that_moment_leaves_nothing_due(bot, due, run):
    together(
        lambda: source_actions.change_source(source_id=bot.pk, changes={"accept_within": None}), lambda: time_out(due)
    )
    assert Contact.objects.get().due_left is None
    clock.tick()
    assert not Contact.objects.filter(due_at__lte=timezone.now()).exists()


class TestOutage:
    @pytest.fixture
    def thousand(self, anna, boris, bot):
        """Due during an hour in which the clock stood still."""
        Operator.objects.update(max_load=100, is_active=True)
        for _ in range(20):
            characters.contact(bot)
        Contact.objects.update(due_at=timezone.now() - HOUR / 2)
        Upkeep.objects.update_or_create(pk=1, defaults={"ticked_at": timezone.now() - HOUR})

    def test_everything_has_its_time_again_once(self, thousand, monkeypatch):
        renew, renewed = due_moments.renew_moments, []

        def count(now):
            renewed.append(renew(now))
            return renewed[-1]

        monkeypatch.setattr(due_moments, "renew_moments", count)
        before = timezone.now()
        together(*[clock.tick] * 4)
        assert renewed == [20]
        moments = Contact.objects.values_list("due_at", flat=True)
        assert all(moment and moment >= before + timedelta(seconds=60) for moment in moments)

    def test_without_looking_again_under_the_lock_it_would_be_given_twice(self, thousand, monkeypatch):
        """The control for the test above: the second one would also move what has become due since."""
        renew, renewed = due_moments.renew_moments, []

        def count(now):
            renewed.append(renew(now))
            return 0

        monkeypatch.setattr(due_moments, "renew_moments", count)
        looks = iter([True] * 4)
        monkeypatch.setattr(clock, "must_be_noted", lambda at, now: next(looks))
        monkeypatch.setattr(clock, "OUTAGE", -HOUR)
        together(*[clock.tick] * 2)
        assert len(renewed) == 2
