"""The worker with all its loops: a contact, its message, a button, and the answer, without anybody calling a round."""

import pytest

from notifications.worker import Worker, build_loops
from routing.models import Contact
from tests import characters
from tests.notifications.messenger.courier import labels, last_message, link, wait_until_reading

ANNA = 1001


@pytest.fixture
def working(transactional_db, telegram):
    """The server of the Bot API, with a worker that serves the bot."""
    worker = Worker(build_loops())
    worker.start()
    wait_until_reading()
    yield telegram
    worker.stop()
    worker.join(60)
    assert not any(thread.is_alive() for thread in worker.threads)


def test_a_contact_is_told_taken_and_shown_as_taken(working):
    anna = characters.operator("Anna")
    link(working, anna, ANNA)
    contact = characters.contact(characters.source(roster={anna: 10}))
    working.wait_until(lambda: working.messages(ANNA))
    number = next(iter(working.chats[ANNA]))
    query = working.press(ANNA, number, f"take:{contact.pk}")
    assert working.wait_until(lambda: working.answers.get(query))["text"] == "You have taken it."
    assert Contact.objects.get(pk=contact.pk).accepted_at
    working.wait_until(lambda: labels(last_message(working, ANNA)) == ["Done", "Cannot"])
