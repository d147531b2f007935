"""Pages that do not belong to an app."""

import logging
import sys
from collections.abc import Callable
from functools import cache, wraps
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import defaults
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from rest_framework.exceptions import MethodNotAllowed

from core import request_context
from core.api import problems
from crm_router import VERSION
from crm_router.middleware import is_back_office
from crm_router.observability import routes

log = logging.getLogger(__name__)


def only_read(view: Callable[..., HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Answers 405 to all methods except GET and HEAD."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request)
        response = problems.problem_response(
            problems.problem_document(405, detail=str(MethodNotAllowed(str(request.method)).detail))
        )
        response["Allow"] = "GET, HEAD"
        return response

    return checked


@only_read
def root(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"message": "CRM Lead Router", "docs": "/docs", "version": VERSION})


@only_read
def health(request: HttpRequest) -> JsonResponse:
    """Liveness: the process answers. Does not query the database, whose failures must not restart the process."""
    return JsonResponse({"status": "ok"})


@only_read
def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI schema, in the language of the service or in `?lang=`. It needs no key, so it must cost little."""
    asked = request.GET.get("lang")
    language = asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    headers = {"Content-Disposition": f'inline; filename="{settings.SPECTACULAR_SETTINGS["TITLE"]}.json"'}
    return HttpResponse(built_schema(language), content_type=OpenApiJsonRenderer.media_type, headers=headers)


@cache
def built_schema(language: str) -> bytes:
    """The schema, built once in each process, because it depends only on the code and the language."""
    with translation.override(language):
        document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call] # no type hints
        rendered: bytes = OpenApiJsonRenderer().render(document, renderer_context={})
        return rendered


@only_read
def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: the database answers, and has the tables that this code expects."""
    try:
        missing = missing_migrations()
    except Error:
        log.exception("Not ready")
        return problems.problem_response(
            problems.problem_document(503, "database_unreachable", _("The database does not answer."))
        )
    if missing:
        detail = _("Migrations that are not applied: %(count)s.") % {"count": missing}
        return problems.problem_response(problems.problem_document(503, "migrations_missing", detail))
    return JsonResponse({"status": "ok"})


def missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        detail = _("Host “%(host)s” is not in ALLOWED_HOSTS.") % {"host": request.META.get("HTTP_HOST", "")}
        return problems.problem_response(problems.problem_document(400, "unknown_host", detail))
    return problems.problem_response(problems.problem_document(400))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_back_office(request):
        return defaults.page_not_found(request, exception)
    return problems.problem_response(
        problems.problem_document(404, detail=_("Path %(path)s does not exist.") % {"path": request.path})
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The response to an unhandled exception: 503 if the database failed, else 500."""
    if problems.is_temporary(sys.exc_info()[1]):
        log.error("Answered 503", exc_info=True)
        response = problems.problem_response(problems.problem_document(503))
        if is_back_office(request):
            response = HttpResponse(render_to_string("503.html"))
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = str(problems.RETRY_AFTER)
        return response
    document = problems.incident_document(f"{routes.known_method(request.method)} {routes.route_of(request)} failed")
    if is_back_office(request):
        return HttpResponseServerError(render_to_string("500.html", {"incident": request_context.current_request_id()}))
    return problems.problem_response(document)
