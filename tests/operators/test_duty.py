"""The intervals on duty, from the recorded changes."""

from datetime import UTC, datetime, timedelta

import pytest

from core.changes.models import Change
from core.errors import Unknown
from operators.duty import duty_intervals
from operators.models import Operator
from routing import operator_actions
from tests import characters

pytestmark = pytest.mark.django_db

DAWN = datetime(2026, 11, 27, tzinfo=UTC)


def hour(number):
    return DAWN + timedelta(hours=number)


@pytest.fixture
def anna():
    """Created on duty at eight, by the function that records it."""
    made = operator_actions.create_operator(name="Anna", max_load=5)
    Operator.objects.filter(pk=made.pk).update(created_at=hour(8))
    Change.objects.update(at=hour(8))
    return made


def at(number, act, **call):
    """Calls the function as if it were that hour."""
    known = set(Change.objects.values_list("pk", flat=True))
    act(**call)
    Change.objects.exclude(pk__in=known).update(at=hour(number))


def switch(number, operator, is_active):
    changes = {"is_active": is_active}
    at(number, operator_actions.change_operator, operator_id=operator.pk, changes=changes)


def hours(operator, start=0, end=24):
    """The intervals as pairs of hours."""
    found = duty_intervals(operator_id=operator.pk, start=hour(start), end=hour(end))
    return [tuple((moment - DAWN) / timedelta(hours=1) for moment in interval) for interval in found]


def test_duty_begins_with_the_creation(anna):
    assert hours(anna) == [(8, 24)]


def test_each_switch_ends_or_begins_an_interval(anna):
    switch(12, anna, False)
    switch(13, anna, True)
    switch(18, anna, False)
    assert hours(anna) == [(8, 12), (13, 18)]


def test_an_interval_is_cut_at_the_ends_asked_for(anna):
    switch(12, anna, False)
    assert hours(anna, 9, 10) == [(9, 10)]
    assert hours(anna, 13, 14) == []


def test_other_changes_do_not_split_an_interval(anna):
    at(10, operator_actions.change_operator, operator_id=anna.pk, changes={"max_load": 3})
    assert hours(anna) == [(8, 24)]


def test_handing_over_ends_duty(anna):
    at(15, operator_actions.hand_over, operator_id=anna.pk)
    assert hours(anna) == [(8, 15)]


def test_nobody_is_on_duty_in_the_archive(anna):
    at(10, operator_actions.archive_operator, operator_id=anna.pk)
    at(14, operator_actions.restore_operator, operator_id=anna.pk)
    assert hours(anna) == [(8, 10), (14, 24)]


def test_an_operator_from_before_the_records_was_as_the_first_change_found_it():
    boris = characters.operator("Boris", is_active=False)
    Operator.objects.filter(pk=boris.pk).update(created_at=hour(1))
    switch(9, boris, True)
    switch(17, boris, False)
    assert hours(boris) == [(9, 17)]


def test_an_operator_without_any_record_was_always_as_it_is():
    boris = characters.operator("Boris")
    Operator.objects.filter(pk=boris.pk).update(created_at=hour(1))
    assert hours(boris) == [(1, 24)]


def test_a_clock_that_was_set_back_gives_no_negative_interval(anna):
    switch(12, anna, False)
    switch(11, anna, True)
    switch(14, anna, False)
    assert hours(anna) == [(8, 14)]


def test_an_unknown_operator_is_refused():
    with pytest.raises(Unknown):
        duty_intervals(operator_id=404, start=hour(0), end=hour(1))
