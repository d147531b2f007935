"""What leaves the house for OpenTelemetry."""

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from crm_router.observability import tracing
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]


@pytest.fixture
def spans(settings):
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:1"
    kept = InMemorySpanExporter()
    tracing.start()
    assert tracing.provider
    tracing.provider._active_span_processor._span_processors = (SimpleSpanProcessor(kept),)
    yield kept.get_finished_spans
    tracing.provider = None


def test_a_request_is_a_span_without_paths_and_people(api, spans):
    api.get("/api/v1/contacts/404?phone=+79995550123", headers={"x-request-id": "bot-42:7f"})
    [span] = spans()
    assert span.name == "GET /api/v1/contacts/{pk}"
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.route": "/api/v1/contacts/{pk}",
        "http.response.status_code": 404,
        "crm.code": "not_found",
        "crm.request_id": "bot-42:7f",
    }
    assert 0 < span.end_time - span.start_time < 10e9


def test_it_belongs_to_the_callers_trace(api, spans):
    api.get("/health", headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    [span] = spans()
    assert f"{span.context.trace_id:x}" == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"


def test_it_names_the_contact(api, spans):
    bot = characters.source()
    contact = api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()}).json()
    [span] = spans()
    assert (span.attributes["crm.contact_id"], span.attributes["crm.reason"]) == (contact["id"], "no_operators")
