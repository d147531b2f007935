"""Sends a span for each request to OpenTelemetry, as part of the trace in the caller's `traceparent`."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from core.request_context import RequestContext
from crm_router import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

provider: "TracerProvider | None" = None


def start() -> None:
    """Sets up the exporter. OpenTelemetry's Django instrumentation would send whole URLs, with phones in queries."""
    global provider
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    endpoint = f"{settings.OTEL_EXPORTER_OTLP_ENDPOINT.rstrip('/')}/v1/traces"
    provider = TracerProvider(resource=Resource.create({"service.name": "crm-lead-router", "service.version": VERSION}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))


def record_span(call: RequestContext, *, seconds: float, fields: Mapping[str, Any]) -> None:
    """Records one finished span with the fields of the log line, except the path."""
    if provider is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    ended = time.time_ns()
    said = {f"crm.{name}": value for name, value in fields.items() if value is not None and name not in RENAMED}
    span = provider.get_tracer("crm_router").start_span(
        f"{fields['method']} {fields['route']}",
        context=TraceContextTextMapPropagator().extract({"traceparent": call.traceparent}),
        kind=SpanKind.SERVER,
        start_time=ended - int(seconds * 1e9),
        attributes=said
        | {name: fields[ours] for ours, name in RENAMED.items() if name}
        | {"crm.request_id": call.request_id},
    )
    if fields["status"] >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end(ended)


# Names of OpenTelemetry's semantic conventions; fields with "" are left out.
RENAMED = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "duration_ms": "",
    "path": "",
}
