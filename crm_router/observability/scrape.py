"""GET /metrics, for Prometheus."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.api import problems
from crm_router.observability import worker_metrics
from crm_router.observability.database_metrics import DatabaseMetrics
from crm_router.views import only_read


@only_read
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics. Requires METRICS_TOKEN as bearer token; 404 if that is not set."""
    if not settings.METRICS_TOKEN:
        return problems.problem_response(problems.problem_document(404))
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected_authorization()):
        detail = _("A valid METRICS_TOKEN is required: Authorization: Bearer <token>.")
        response = problems.problem_response(problems.problem_document(401, detail=detail))
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(generate_latest(build_registry()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def expected_authorization() -> bytes:
    return f"Bearer {settings.METRICS_TOKEN}".encode()


def build_registry() -> CollectorRegistry:
    """A registry of the counters of all workers, or of this process without workers, and the database metrics."""
    everything = CollectorRegistry()
    if worker_metrics.folder:
        MultiProcessCollector(everything, str(worker_metrics.folder))
    else:
        everything.register(REGISTRY)
    everything.register(DatabaseMetrics())
    return everything
