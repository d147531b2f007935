"""Where no key is needed, only this machine is let in without one, whatever address the server listens on."""

import pytest
from rest_framework.test import APIClient

from tests.access import callers

pytestmark = pytest.mark.django_db

OPERATORS = "/api/v1/operators"


@pytest.fixture(autouse=True)
def no_key_is_needed(settings, keys_are_required):
    settings.API_KEYS = "open"


@pytest.mark.parametrize("address", ["203.0.113.9", "192.168.0.7", "::ffff:203.0.113.9", "", "nonsense"])
def test_what_came_from_elsewhere_needs_a_key(address):
    """An empty address is that of a socket in the file system: behind one anybody may stand."""
    answer = APIClient(REMOTE_ADDR=address).get(OPERATORS, headers={"Host": "localhost"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "came from another machine" in answer.json()["detail"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.1.1", "::1", "::ffff:127.0.0.1"])
def test_what_comes_from_this_machine_needs_none(address):
    assert APIClient(REMOTE_ADDR=address).get(OPERATORS).status_code == 200


def test_who_has_a_key_may_come_from_anywhere():
    assert callers.office().get(OPERATORS, REMOTE_ADDR="203.0.113.9").status_code == 200


def test_who_confirms_it_lets_in_everybody(settings):
    settings.API_KEYS_OPEN_ANYWHERE = True
    assert APIClient(REMOTE_ADDR="203.0.113.9").get(OPERATORS).status_code == 200
