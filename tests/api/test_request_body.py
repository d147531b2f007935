"""The limits of a body, as the WSGI application checks them."""

import io

import pytest
from django.core.handlers.wsgi import WSGIHandler

from crm_router.server.request_body import with_bounded_body

pytestmark = pytest.mark.once


def call(body: bytes, **environ):
    answered: dict[str, object] = {}
    base = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/operators",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "application/json",
    }

    def start_response(status, headers):
        answered.update(status=int(status.split()[0]), headers=dict(headers))

    answer = b"".join(with_bounded_body(WSGIHandler())(base | environ, start_response))
    return answered["status"], answered["headers"], answer


def test_a_body_beyond_256_kib_is_a_413():
    status, headers, answer = call(b"x" * 300_000, CONTENT_LENGTH="300000")
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")
    assert b"256 KiB" in answer


def test_a_body_in_chunks_is_bounded_too():
    assert call(b"x" * 300_000, HTTP_TRANSFER_ENCODING="chunked")[0] == 413


@pytest.mark.django_db(transaction=True)  # a request ends the connection of a test that is inside a transaction
def test_a_body_in_chunks_is_read():
    status, _, answer = call(b'{"name": "Anna", "max_load": 5}', HTTP_TRANSFER_ENCODING="chunked")
    assert (status, b'"Anna"' in answer) == (201, True)


@pytest.mark.django_db(transaction=True)
def test_a_batch_may_be_larger_than_other_bodies():
    large = {"CONTENT_LENGTH": "2000000", "PATH_INFO": "/api/v1/contacts/batch/"}
    assert call(b" " * 2_000_000, **large)[0] != 413


@pytest.mark.parametrize("announced", [{"CONTENT_LENGTH": "2097153"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_a_batch_beyond_2_mib_is_a_413(announced):
    status, _, answer = call(b" " * 2_097_153, PATH_INFO="/api/v1/contacts/batch", **announced)
    assert (status, b"2048 KiB" in answer) == (413, True)


@pytest.mark.django_db(transaction=True)
def test_of_a_body_longer_than_announced_only_the_announced_part_is_read():
    assert call(b'{"name": "Anna", "max_load": 5}' + b"x" * 300_000, CONTENT_LENGTH="31")[0] == 201


def test_a_chunked_body_that_breaks_off_is_a_400():
    class BrokenOff(io.RawIOBase):
        def read(self, size=-1):
            raise OSError("No more data")

    broken = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BrokenOff()}
    status, headers, _ = call(b"", **broken)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")


def test_a_body_that_breaks_off_is_a_400():
    assert call(b'{"name": "Anna"', CONTENT_LENGTH="31")[0] == 400


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["zlib", "rot13", "idna", '"utf-16"', "nonsense"])
def test_whatever_charset_is_claimed_the_body_is_read_as_utf_8(charset):
    body = '{"name": "Анна", "max_load": 5}'.encode()
    content_type = f"application/json; charset={charset}"
    status, _, answer = call(body, CONTENT_LENGTH=str(len(body)), CONTENT_TYPE=content_type, QUERY_STRING="a=b")
    assert (status, "Анна" in answer.decode()) == (201, True)


@pytest.mark.django_db(transaction=True)
def test_a_request_for_no_path_at_all_is_a_404():
    assert call(b"", REQUEST_METHOD="OPTIONS", PATH_INFO="*")[0] == 404
