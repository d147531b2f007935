"""The answer to HEAD: what GET would be answered, but for the body."""

from collections.abc import Callable, Iterable
from typing import Any

from crm_router.server.request_body import Application, Environ


def without_body_for_head(application: Application) -> Application:
    """Django leaves the body in and counts on the server, which drops it with a warning for each such request."""

    def answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        whole = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return whole
        if close := getattr(whole, "close", None):
            close()
        return []

    return answer
