"""Where a request ends, told from its bytes alone."""

from http import HTTPStatus

import pytest

from crm_router.server.arrival import Arrival, Refused

GET = b"GET / HTTP/1.1\r\nHost: bot\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n0\r\n\r\n0\r\n\r\n"
TRAILERS = CHUNKED[:-2] + b"Signature: abc\r\n\r\n"


def whole_after(sent: bytes) -> int | None:
    """How many bytes it took, given one at a time."""
    arrival = Arrival(most=100)
    for number, byte in enumerate(sent, start=1):
        arrival.received.append(byte)
        if arrival.is_whole():
            return number
    return None


@pytest.mark.parametrize("sent", [GET, POST, CHUNKED, TRAILERS], ids=["get", "post", "chunked", "trailers"])
def test_a_request_is_whole_with_its_last_byte_and_not_before(sent):
    assert whole_after(sent) == len(sent)


def test_what_follows_belongs_to_the_next_request():
    arrival = Arrival(most=100)
    arrival.received += POST + GET
    assert arrival.is_whole()
    assert arrival.received == POST + GET


def test_who_asks_before_sending_the_body_is_told_to_go_on_and_is_not_told_twice():
    arrival = Arrival(most=100)
    arrival.received += POST.replace(b"\r\n", b"\r\nExpect: 100-continue\r\n", 1)[:-5]
    assert not arrival.is_whole()
    assert arrival.waits_for_go_ahead
    arrival.received += b"hello"
    assert arrival.is_whole()
    assert arrival.received == POST


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", HTTPStatus.BAD_REQUEST),
        (b"G" * 70_000, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        (POST.replace(b"5", b"101"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (POST.replace(b"5", b"9" * 5000), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (CHUNKED.replace(b"5\r\n", b"five\r\n"), HTTPStatus.BAD_REQUEST),
        (CHUNKED.replace(b"5\r\n", b"-5\r\n"), HTTPStatus.BAD_REQUEST),
        (CHUNKED[:-5] + b"1;" + b"x" * 70_000, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
def test_what_can_become_no_request_is_refused(sent, status):
    arrival = Arrival(most=100)
    arrival.received += sent
    with pytest.raises(Refused) as refused:
        arrival.is_whole()
    assert refused.value.status == status


@pytest.mark.parametrize("sent", [CHUNKED, CHUNKED[:80], CHUNKED[:40]])
def test_what_has_come_says_whose_it_is(sent):
    arrival = Arrival(most=100)
    arrival.received += sent.replace(b"\r\n", b"\r\nX-Request-Id: bot-42:7f\r\n", 1)
    assert arrival.beginning() == ("POST", "bot-42:7f")


def test_what_a_body_says_is_not_believed():
    arrival = Arrival(most=100)
    arrival.received += GET + b"\r\nX-Request-ID: bot-42:7f\r\n"
    assert arrival.beginning() == ("GET", "")


def test_leading_zeros_are_no_larger_body():
    assert whole_after(POST.replace(b"5", b"0005")) == len(POST) + 3


@pytest.mark.parametrize(
    ("endless", "status"), [(b"ffffffff\r\n", 413), (b"5;" + b"x" * 8192, 400), (b"0\r\na: " + b"\r" * 65_536, 431)]
)
def test_what_has_no_end_is_refused_before_it_is_long(endless, status):
    arrival = Arrival(most=100)
    arrival.received += b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + endless
    with pytest.raises(Refused) as refused:
        arrival.is_whole()
    assert refused.value.status == status
