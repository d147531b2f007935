"""GET /metrics, for Prometheus."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.api import problems
from crm_router.observability import worker_metrics
from crm_router.observability.database_metrics import DatabaseMetrics
from crm_router.views import only_read


@only_read
def metrics(request: HttpRequest) -> HttpResponse:
    """Opened by METRICS_TOKEN and by nothing else; where there is none, there is nothing here."""
    if not settings.METRICS_TOKEN:
        return problems.problem_response(problems.problem_document(404, detail="There is nothing at /metrics."))
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected_authorization()):
        response = problems.problem_response(
            problems.problem_document(401, detail="The token of the metrics is needed.")
        )
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(generate_latest(build_registry()), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def expected_authorization() -> bytes:
    return f"Bearer {settings.METRICS_TOKEN}".encode()


def build_registry() -> CollectorRegistry:
    """What all workers counted, or this process where there are no workers, and what the database knows."""
    everything = CollectorRegistry()
    if worker_metrics.folder:
        MultiProcessCollector(everything, str(worker_metrics.folder))
    else:
        everything.register(REGISTRY)
    everything.register(DatabaseMetrics())
    return everything
