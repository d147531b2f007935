"""The limits of a body, as the WSGI application checks them."""

import gzip
import io
import json
import zlib

import pytest
from django.core.handlers.wsgi import WSGIHandler

from crm_router.server.request_body import with_bounded_body
from leads.validation import LONGEST_MESSAGE

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


def test_a_body_beyond_512_kib_is_a_413():
    status, headers, answer = call(b"x" * 600_000, CONTENT_LENGTH="600000")
    assert (status, headers["Content-Type"]) == (413, "application/problem+json")
    assert b"512 KiB" in answer


def test_a_body_in_chunks_is_bounded_too():
    assert call(b"x" * 600_000, HTTP_TRANSFER_ENCODING="chunked")[0] == 413


@pytest.mark.django_db(transaction=True)
def test_the_longest_message_fits_with_its_letters_escaped():
    body = json.dumps({"source_id": 404, "lead_phone": "+79991234567", "message": "я" * LONGEST_MESSAGE}).encode()
    assert call(body, CONTENT_LENGTH=str(len(body)), PATH_INFO="/api/v1/contacts")[0] == 404


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


ANNA = json.dumps({"name": "Анна", "max_load": 5}, ensure_ascii=False).encode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content_type", ["", "application/json", "Application/JSON ; charset=utf-8"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_body_may_begin_with_a_byte_order_mark_and_need_not_say_that_it_is_json(content_type, mark):
    status, _, answer = call(mark + ANNA, CONTENT_LENGTH=str(len(mark + ANNA)), CONTENT_TYPE=content_type)
    assert (status, "Анна" in answer.decode()) == (201, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_a_body_may_be_gzip(encoding):
    packed = gzip.compress(ANNA)
    status, _, answer = call(packed, CONTENT_LENGTH=str(len(packed)), HTTP_CONTENT_ENCODING=encoding)
    assert (status, "Анна" in answer.decode()) == (201, True)


@pytest.mark.django_db(transaction=True)
def test_a_gzip_body_may_come_in_chunks():
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "HTTP_CONTENT_ENCODING": "gzip"}
    assert call(gzip.compress(ANNA), **chunked)[0] == 201


@pytest.mark.django_db(transaction=True)
def test_a_batch_may_unpack_to_2_mib_and_not_to_more():
    for size, status in ((2_097_152, 400), (2_097_153, 413)):
        packed = gzip.compress(b" " * size)
        packed_batch = {"CONTENT_LENGTH": str(len(packed)), "PATH_INFO": "/api/v1/contacts/batch"}
        assert call(packed, HTTP_CONTENT_ENCODING="gzip", **packed_batch)[0] == status


def test_what_unpacks_to_more_than_the_limit_is_a_413():
    bomb = gzip.compress(b" " * 100_000_000)
    status, _, answer = call(bomb, CONTENT_LENGTH=str(len(bomb)), HTTP_CONTENT_ENCODING="gzip")
    assert (status, b"KiB" in answer) == (413, True)


PACKED = gzip.compress(b"{}", mtime=0)  # the names of the tests contain it


@pytest.mark.parametrize("body", [b"{}", PACKED[:-1], PACKED + b"{}", PACKED * 2, zlib.compress(b"{}")])
def test_what_is_not_gzip_is_a_400(body):
    status, headers, answer = call(body, CONTENT_LENGTH=str(len(body)), HTTP_CONTENT_ENCODING="gzip")
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert json.loads(answer)["detail"] == "The body is not valid gzip."


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "identity", "nonsense"])
def test_any_other_encoding_is_a_415(encoding):
    status, headers, answer = call(b"{}", CONTENT_LENGTH="2", HTTP_CONTENT_ENCODING=encoding)
    assert (status, headers["Accept-Encoding"]) == (415, "gzip")
    assert json.loads(answer)["code"] == "unsupported_media_type"


@pytest.mark.django_db(transaction=True)
def test_an_encoding_of_no_body_is_ignored():
    answer = call(b"", REQUEST_METHOD="GET", HTTP_CONTENT_ENCODING="br")
    assert answer[0] == 200


def test_what_is_refused_before_django_is_refused_in_the_callers_language():
    broken = {"CONTENT_LENGTH": "31", "HTTP_ACCEPT_LANGUAGE": "ru"}
    status, headers, answer = call(b'{"name": "Anna"', **broken)
    assert (status, headers["Vary"]) == (400, "Accept-Language")
    assert json.loads(answer)["detail"] == "Тело запроса оборвалось."
