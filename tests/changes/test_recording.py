import pytest
from django.db import transaction

from core import retry
from core.changes.models import Change, Via
from core.changes.recording import Author, record_change

pytestmark = pytest.mark.django_db

VERA = Author("user vera", Via.PAGE, reason="on leave")


def record(before, after, author=VERA):
    for attempt in retry.attempts():
        with attempt:
            record_change("operator.changed", author, before=before, after=after, operator_id=1)
    return Change.objects.last()


def test_only_what_differs_is_kept():
    change = record({"name": "Анна", "max_load": 5}, {"name": "Анна", "max_load": 7})
    assert (change.before, change.after) == ({"max_load": 5}, {"max_load": 7})
    assert (change.by, change.via, change.reason) == ("user vera", "page", "on leave")


def test_what_changes_nothing_leaves_no_record():
    assert record({"name": "Анна"}, {"name": "Анна"}) is None


def test_a_new_object_has_nothing_before():
    change = record({}, {"name": "Анна", "external_ref": None})
    assert (change.before, change.after) == ({}, {"name": "Анна"})


def test_weights_are_kept_by_operator_id_also_for_operators_who_join():
    change = record({1: 10, 2: None, 3: 7}, {1: 20, 2: 5, 3: 7})
    assert (change.before, change.after) == ({"1": 10, "2": None}, {"1": 20, "2": 5})


def test_the_record_goes_with_the_transaction():
    with transaction.atomic():
        record({}, {"name": "Анна"})
        transaction.set_rollback(True)
    assert not Change.objects.exists()
