"""Logs and measures each request, and gives it an id."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core import deadline
from core.request_context import RequestContext, accept_or_create_id, current, current_request
from crm_router.observability import metrics, routes, tracing

log = logging.getLogger("crm_router.requests")

PROBES = {"/health", "/health/ready", "/metrics"}  # called every few seconds, logged only when they fail


class Observe:
    """The outermost middleware, so that requests refused by other middleware are logged and counted as well.

    Static files are neither logged nor counted.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.STATIC_URL):
            return self.get_response(request)
        started = time.perf_counter()
        call = begin_request(request.META)
        token = current.set(call)
        metrics.IN_PROGRESS.inc()
        try:
            with deadline.limit_to(settings.ANSWER_TIMEOUT):
                response = self.get_response(request)
            log_request(
                call,
                method=routes.known_method(request.method),
                route=routes.route_of(request),
                status=response.status_code,
                seconds=time.perf_counter() - started,
                code=problem_code(response),
                key=getattr(request, "auth", None),
                path=request.get_full_path() if settings.LOG_PERSONAL_DATA else None,
                **contact_outcome(call),
            )
        finally:
            metrics.IN_PROGRESS.dec()
            current.reset(token)
        response["X-Request-ID"] = call.request_id
        return response


def log_refused_request(call: RequestContext, *, method: str, status: int, code: str) -> None:
    """Logs a request that is refused before it reaches Django."""
    with current_request(call):
        log_request(
            call, method=routes.known_method(method), route=routes.UNMATCHED, status=status, seconds=0, code=code
        )


def begin_request(environ: Mapping[str, Any]) -> RequestContext:
    return RequestContext(accept_or_create_id(environ.get("HTTP_X_REQUEST_ID")), environ.get("HTTP_TRACEPARENT", ""))


def log_request(
    call: RequestContext, *, method: str, route: str, status: int, seconds: float, code: str | None, **more: Any
) -> None:
    metrics.REQUESTS.labels(method, route, status).observe(seconds)
    if code:
        metrics.ERRORS.labels(status, code).inc()
    level = logging.DEBUG if route in PROBES and not code else logging.INFO
    fields = {"method": method, "route": route, "status": status, "duration_ms": round(seconds * 1000, 1), "code": code}
    fields |= more
    log.log(level, "request", extra=fields)
    tracing.record_span(call, seconds=seconds, fields=fields)


def problem_code(response: HttpResponseBase) -> str | None:
    """The code of a problem document; None for successful responses and back-office pages."""
    data = getattr(response, "data", None)
    return data.get("code") if response.status_code >= 400 and isinstance(data, dict) else None


def contact_outcome(call: RequestContext) -> dict[str, Any]:
    """Log fields with the final state of the contact that the request changed first, and the number of all changes."""
    if not call.events:
        return {}
    first = call.events[0]
    last = next(fact for fact in reversed(call.events) if fact.contact_id == first.contact_id)
    return {
        "what": first.what.value,
        "contact_id": last.contact_id,
        "source_id": last.source_id,
        "operator_id": last.operator_id,
        "reason": last.reason,
        "strategy": last.strategy,
        "changes": len(call.events),
    }
