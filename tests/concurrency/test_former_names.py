"""Two names for one lead at the same moment: one replaces the other, and none is lost."""

import pytest

from leads import lead_matching, registration
from leads.models import FormerName, Lead
from tests import characters
from tests.concurrency.threads import Pause, together, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

IVAN = {"lead_phone": "+79991234567", "lead_email": "ivan@example.com"}


@pytest.fixture
def bot():
    source = characters.source()
    characters.contact(source, **IVAN, lead_name="Ivan")
    return source


@pytest.fixture
def pause(monkeypatch):
    """Stops the first contact when it has decided, before it has written anything."""
    made = Pause()
    monkeypatch.setattr(registration, "match_leads", made.stops_once(lead_matching.match_leads))
    return made


def writes(bot, name, **identity):
    return lambda: characters.contact(bot, **{"lead_phone": None} | identity, lead_name=name)


def names():
    return sorted([Lead.objects.get().name, *FormerName.objects.values_list("name", flat=True)])


def test_through_the_same_identity(bot, pause):
    phone = {"lead_phone": IVAN["lead_phone"]}
    wait_for(pause, writes(bot, "Vanya", **phone), writes(bot, "I. Petrov", **phone))
    assert names() == ["I. Petrov", "Ivan", "Vanya"]


def test_through_two_identities(bot, pause):
    def second():
        assert pause.reached.wait(60)
        try:
            writes(bot, "I. Petrov", lead_email=IVAN["lead_email"])()
        finally:
            pause.go_on.set()

    together(writes(bot, "Vanya", lead_phone=IVAN["lead_phone"]), second)
    assert names() == ["I. Petrov", "Ivan", "Vanya"]
