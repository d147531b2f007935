import sys
from collections.abc import Callable

from django.apps import AppConfig
from django.conf import settings


class CrmRouterConfig(AppConfig):
    name = "crm_router"

    def ready(self) -> None:
        from core import events
        from crm_router.observability import event_listener, sentry, tracing

        events.listeners[:] = [event_listener.count_event]
        if settings.SENTRY_DSN:
            start(sentry.start, "SENTRY_DSN", "requirements/sentry.txt")
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            start(tracing.start, "OTEL_EXPORTER_OTLP_ENDPOINT", "requirements/opentelemetry.txt")


def start(begin: Callable[[], None], setting: str, lock: str) -> None:
    try:
        begin()
    except ModuleNotFoundError as error:
        install = f"{sys.executable} -m pip install --require-hashes -r {lock}"
        sys.exit(f"{setting} is set, but {error.name} is not installed. Run: {install}")
