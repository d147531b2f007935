"""Sends errors to Sentry: exception types and code locations, without personal data."""

from typing import Any

from django.conf import settings

from core import request_context
from crm_router import VERSION

SENT = {
    "event_id",
    "timestamp",
    "level",
    "logger",
    "platform",
    "release",
    "environment",
    "sdk",
    "exception",
    "logentry",
}


def start() -> None:
    """Sends logged errors only, because the Django integration would cost each request more than routing."""
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=VERSION,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=scrub,
    )


def scrub(event: Any, _hint: Any) -> Any:
    """Removes everything that may contain personal data: messages of exceptions, arguments of log lines."""
    clean = {name: event[name] for name in SENT & set(event)}
    for exception in clean.get("exception", {}).get("values", []):
        exception["value"] = ""
        for frame in (exception.get("stacktrace") or {}).get("frames", []):
            frame.pop("vars", None)
    if "logentry" in clean:
        clean["logentry"] = {"message": clean["logentry"].get("message", "")}
    if request_id := request_context.current_request_id():
        clean["tags"] = {"request_id": request_id}
    return clean
