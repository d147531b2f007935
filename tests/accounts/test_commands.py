"""Commands about accounts say what to do where there is no table yet."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection


@pytest.fixture
def empty(monkeypatch, db):
    monkeypatch.setattr(connection.introspection, "table_names", list)


@pytest.mark.parametrize("command", [["createsuperuser", "--noinput", "--username", "x"], ["changepassword", "x"]])
def test_before_the_first_start_a_command_says_what_to_do(empty, command):
    with pytest.raises(CommandError, match="scripts/serve"):
        call_command(*command)
