"""Pages that do not belong to an app."""

import logging
import sys
from collections.abc import Callable
from functools import cache, wraps
from http import HTTPStatus
from threading import Lock

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotFound,
    HttpResponseServerError,
    JsonResponse,
)
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
from core.db.faults import fault_of
from crm_router import VERSION, readiness
from crm_router.middleware import is_back_office
from crm_router.observability import routes

log = logging.getLogger(__name__)

JSON = "application/json"


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


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asks: browsers prefer HTML, programs take anything or JSON."""
    return request.get_preferred_type([JSON, "text/html"]) == "text/html"


@only_read
def root(request: HttpRequest) -> HttpResponse:
    """A page for browsers, which ask for HTML; JSON for everybody else."""
    if wants_page(request):
        page = render_to_string("root.html", {"version": VERSION})
        return HttpResponse(page, headers={"Vary": "Accept, Accept-Language"})
    message = {"message": "CRM Lead Router", "docs": "/docs", "version": VERSION}
    return JsonResponse(message, headers={"Vary": "Accept"})


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
    with building_schema:  # two threads that build it disturb each other
        document = built_schema(language)
    return HttpResponse(document, content_type=OpenApiJsonRenderer.media_type, headers=headers)


building_schema = Lock()


@cache
def built_schema(language: str) -> bytes:
    """The schema, which depends only on the code and the language. gunicorn builds it before it starts its workers."""
    with translation.override(language):
        document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call] # no type hints
        rendered: bytes = OpenApiJsonRenderer().render(document, renderer_context={})
        return rendered


@only_read
def ready(request: HttpRequest) -> HttpResponse:
    """Readiness: the database answers, has the tables that this code expects, and takes changes.

    Also tells when each kind of background work ended well last. Old times do not make the service unready: it serves
    as before, and a proxy that takes it away for them would only add to the damage.
    """
    if obstacle := readiness.find_obstacle():
        return problems.problem_response(problems.problem_document(503, obstacle.code, obstacle.detail))
    return JsonResponse({"status": "ok", "background": readiness.background_work()})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        detail = _("Host “%(host)s” is not in ALLOWED_HOSTS.") % {"host": request.META.get("HTTP_HOST", "")}
        return problems.problem_response(problems.problem_document(400, "unknown_host", detail))
    if is_back_office(request):
        return HttpResponseBadRequest(render_to_string("400.html"))
    return problems.problem_response(problems.problem_document(400))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_back_office(request):
        return defaults.page_not_found(request, exception)
    if wants_page(request) and not request.path_info.startswith("/api/"):
        return HttpResponseNotFound(render_to_string("404.html"), headers={"Vary": "Accept, Accept-Language"})
    return problems.problem_response(
        problems.problem_document(404, detail=_("Path %(path)s does not exist.") % {"path": request.path})
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The response to an unhandled exception: 503 if the database failed, else 500."""
    if fault := fault_of(sys.exc_info()[1]):
        log.error("Answered 503", exc_info=True)
        response = problems.problem_response(problems.fault_document(fault))
        if is_back_office(request):
            response = HttpResponse(render_to_string("503.html"))
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = str(problems.RETRY_AFTER)
        return response
    document = problems.incident_document(f"{routes.known_method(request.method)} {routes.route_of(request)} failed")
    if is_back_office(request):
        return HttpResponseServerError(render_to_string("500.html", {"incident": request_context.current_request_id()}))
    return problems.problem_response(document)
