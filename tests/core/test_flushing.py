"""What `tests.flushing` replaces in Django is still what it was."""

from django.test import TransactionTestCase, testcases

from tests import flushing


def test_django_empties_tables_by_the_command_that_is_replaced_and_by_nothing_else(monkeypatch):
    called = []
    monkeypatch.setattr(testcases, "call_command", lambda name, **options: called.append(name))
    flushing.FLUSH(TransactionTestCase())
    assert called == ["flush"]


def test_django_still_calls_what_is_replaced_after_each_test(monkeypatch):
    called = []
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", lambda test: called.append(test))
    monkeypatch.setattr(TransactionTestCase, "_should_reload_connections", lambda test: False)
    test = TransactionTestCase()
    test._post_teardown()  # type: ignore[attr-defined]
    assert called == [test]
