"""Records of changes follow each other without a gap, however many change one thing at once."""

from threading import Barrier

import pytest

from core.changes.models import Change, Via
from core.changes.recording import Author
from core.errors import Conflict
from operators.models import Operator
from routing import operator_actions, reverting, source_actions
from tests import characters
from tests.concurrency.threads import TIMEOUT, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

VERA = Author("user vera", Via.PAGE)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=50)


def change(operator, **changes):
    return lambda: operator_actions.change_operator(operator_id=operator.pk, changes=changes, author=VERA)


def gaps(name, first, last):
    """Places where a record does not begin with what the one before it has left."""
    records = [one for one in Change.objects.order_by("pk") if name in one.after]
    values = [first] + [one.after[name] for one in records]
    before = [one.before[name] for one in records] + [last]
    return [pair for pair in zip(values, before, strict=True) if pair[0] != pair[1]]


def test_changes_of_one_operator_at_once_follow_each_other(anna):
    limits = [change(anna, max_load=limit) for limit in range(1, 9)]
    duty = [change(anna, is_active=is_active) for is_active in (False, True) * 2]
    together(*limits, *duty, lambda: operator_actions.hand_over(operator_id=anna.pk, author=VERA))
    anna.refresh_from_db()
    assert gaps("max_load", 50, anna.max_load) == []
    assert gaps("is_active", True, anna.is_active) == []


def test_without_the_lock_two_records_begin_alike(anna, monkeypatch):
    """The control of the test above."""
    both_have_read = Barrier(2)

    def read_without_lock(operator_id):
        operator = Operator.objects.get(pk=operator_id)
        both_have_read.wait(TIMEOUT)
        return operator

    monkeypatch.setattr(operator_actions, "lock_current", read_without_lock)
    together(change(anna, max_load=1), change(anna, max_load=2))
    anna.refresh_from_db()
    assert gaps("max_load", 50, anna.max_load) != []


def test_changes_of_one_weight_at_once_follow_each_other(anna):
    bot = characters.source(roster={anna: 100})
    Change.objects.all().delete()

    def set_weight(weight):
        return lambda: source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=weight)

    def leave():
        source_actions.replace_roster(source_id=bot.pk, weights=[])

    together(*(set_weight(weight) for weight in range(1, 9)), leave)
    entry = bot.roster.first()
    assert gaps(str(anna.pk), 100, entry and entry.weight) == []


def test_one_account_is_one_operator_however_many_link_it_at_once(anna, django_user_model):
    user = django_user_model.objects.create_user("anna")
    crew = [anna, *(characters.operator(name) for name in ("Boris", "Vera", "Gleb"))]

    def link(operator):
        return lambda: operator_actions.link_account(user_id=user.pk, operator_id=operator.pk, author=VERA)

    together(*map(link, crew))
    holder = Operator.objects.get(user=user)
    last = {one.operator_id: one.after["user_id"] for one in Change.objects.order_by("pk")}
    assert [pk for pk, account in last.items() if account] == [holder.pk]


def test_a_change_is_taken_back_once_by_however_many(anna):
    change(anna, max_load=3)()
    made = Change.objects.get()

    def revert():
        try:
            return reverting.revert_change(change_id=made.pk, author=VERA).pk
        except Conflict as refusal:
            return refusal.code

    answers = together(*[revert] * 4)
    anna.refresh_from_db()
    assert anna.max_load == 50
    assert answers.count("changed_since") == 3
    assert Change.objects.filter(reverts=made).count() == 1
