"""HEAD is answered with headers alone, and GET is not."""

from io import BytesIO

import pytest

from crm_router.wsgi import application

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def ask(method, path):
    """The status, the announced length, and the bytes that a server would get to send."""
    told: dict[str, str] = {}
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    environ |= {"SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "wsgi.input": BytesIO()}
    body = application(environ, lambda status, headers: told.update(headers, status=status))
    return told["status"], told["Content-Length"], b"".join(body)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/nowhere"])
def test_head_is_answered_like_get_without_the_body(path):
    status, length, body = ask("GET", path)
    assert len(body) == int(length) > 0
    assert ask("HEAD", path) == (status, length, b"")
