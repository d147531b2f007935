"""What leaves the house for Sentry."""

import logging

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from core.request_context import RequestContext, current
from crm_router.observability import sentry

pytestmark = pytest.mark.both

PHONE = "+79995550123"


class Kept(Transport):
    """Sends nothing anywhere."""

    def __init__(self):
        super().__init__()
        self.envelopes = []

    def capture_envelope(self, envelope):
        self.envelopes.append(envelope)


@pytest.fixture
def sent(settings):
    settings.SENTRY_DSN = "https://public@sentry.example.com/1"
    sentry.start()
    client = sentry_sdk.get_client()
    client.transport = Kept()
    token = current.set(RequestContext("bot-42:7f"))
    yield client.transport.envelopes
    current.reset(token)
    client.close()
    sentry_sdk.init()


def fail(phone):
    try:
        raise ValueError(f"cannot call {phone}")
    except ValueError:
        logging.getLogger("leads").exception("No answer from %s", phone, extra={"phone": phone})


def test_a_fault_is_sent_without_what_people_wrote(sent):
    logging.getLogger("leads").info("Calling %s", PHONE)
    fail(PHONE)
    [envelope] = sent
    assert PHONE.encode() not in envelope.serialize()


def test_it_says_what_failed_where_and_in_which_request(sent):
    fail(PHONE)
    [envelope] = sent
    event = envelope.get_event()
    [exception] = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ValueError", "")
    assert exception["stacktrace"]["frames"][-1]["function"] == "fail"
    assert event["logentry"] == {"message": "No answer from %s"}
    assert event["tags"] == {"request_id": "bot-42:7f"}


def test_what_is_no_fault_is_not_sent(sent):
    logging.getLogger("leads").warning("Something odd")
    assert sent == []
