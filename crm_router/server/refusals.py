"""Answers to requests that never reach Django."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.api import problems
from core.api.language import VARY, choose_language
from crm_router.observability import requests

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

serving = threading.local()  # `request`: gunicorn's own request, which this thread is answering


class Refused(Exception):
    """`detail` is one sentence, into which `values` are put when the caller's language is known."""

    def __init__(self, status: int, detail: Promise, *headers: tuple[str, str], **values: object) -> None:
        super().__init__(status)
        self.status, self.detail, self.headers, self.values = status, detail, headers, values


def with_host(application: Application) -> Application:
    """Answers 400 to HTTP/1.1 without `Host` (RFC 9112, 3.2), for which Django would take the server's own name."""

    def checked(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["SERVER_PROTOCOL"] == "HTTP/1.1" and "HTTP_HOST" not in environ:
            return answer(Refused(400, _("The Host header is missing.")), environ, start_response)
        return application(environ, start_response)

    return checked


def answer(refused: Refused, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A problem document in the caller's language."""
    accepted = environ.get("HTTP_ACCEPT_LANGUAGE")
    with translation.override(choose_language(accepted) if accepted else settings.LANGUAGE_CODE):
        document = problems.problem_document(refused.status, detail=str(refused.detail) % refused.values)
    call = requests.begin_request(environ)
    method, code = environ["REQUEST_METHOD"], str(document["code"])
    requests.log_refused_request(call, method=method, status=refused.status, code=code)
    body = problems.to_bytes(document)
    headers = {"Content-Type": problems.MEDIA_TYPE, "Content-Length": str(len(body)), "X-Request-ID": call.request_id}
    start_response(f"{refused.status} {document['title']}", [*(headers | VARY).items(), *refused.headers])
    return [body]


def close_connection() -> None:
    """Ends the connection after this answer, whose `Connection` header says so: WSGI has no way to ask for it, and
    gunicorn ignores that header from an application."""
    if request := getattr(serving, "request", None):
        request.force_close()
