"""Responses to HEAD: those to GET without the body."""

from collections.abc import Callable, Iterable
from typing import Any

from crm_router.server.refusals import Application, Environ


def without_body_for_head(application: Application) -> Application:
    """Removes the body, which Django leaves to the server; gunicorn would log a warning for each such request."""

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        whole = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return whole
        if close := getattr(whole, "close", None):
            close()
        return []

    return answer
