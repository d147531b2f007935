"""Middleware for all requests, and Django's middleware limited to the back-office."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.http.response import HttpResponseBase
from django.middleware import csrf, locale
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_otp.middleware import OTPMiddleware

from accounts import time_zones, two_factor
from core.api import problems
from core.api.language import choose_language
from core.db import replica

IN_BACK_OFFICE = re.compile(r"/(admin|i18n)(/|\Z)").match

STRICT = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; \
base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
# unsafe-eval: Alpine, used by the back-office theme, evaluates expressions in its attributes.
BACK_OFFICE_POLICY = STRICT.replace("default-src 'self'", "default-src 'self'; script-src 'self' 'unsafe-eval'")

HAS_CHANGED = "changed"  # a cookie

Answer = Callable[[HttpRequest], HttpResponseBase]


def is_back_office(request: HttpRequest) -> bool:
    return bool(IN_BACK_OFFICE(request.path_info))


class ContentSecurityPolicy:
    """Sends a policy by which browsers load nothing from other hosts and run no inline scripts."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Content-Security-Policy"] = BACK_OFFICE_POLICY if IN_BACK_OFFICE(request.path_info) else STRICT
        return response


class EncryptedAPI:
    """With HTTPS=true, refuses unencrypted API calls. A redirect would let clients send their key again."""

    def __init__(self, get_response: Answer) -> None:
        if not settings.HTTPS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/api/") and not request.is_secure():
            detail = _(
                "This service accepts HTTPS only. Replace the key if one was sent: it crossed the network unencrypted."
            )
            return problems.problem_response(problems.problem_document(403, "https_required", detail))
        return self.get_response(request)


class OptionalTrailingSlash:
    """Outside the back-office, accepts paths with and without a trailing slash, without a redirect."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if len(request.path_info) > 1 and request.path_info.endswith("/") and not is_back_office(request):
            request.path_info = request.path_info[:-1]
        return self.get_response(request)


class BackOfficeOnly(MiddlewareMixin):
    """First base of a middleware class; limits it to the back-office."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if IN_BACK_OFFICE(request.path_info):
            return super().__call__(request)  # type: ignore[return-value] # never a coroutine: the stack is synchronous
        return self.get_response(request)  # type: ignore[return-value] # never a coroutine


class SessionMiddleware(BackOfficeOnly, sessions.SessionMiddleware): ...


class LocaleMiddleware(BackOfficeOnly, locale.LocaleMiddleware):
    """Activates the caller's language for the request, and the service's language afterwards.

    In the back-office Django's rules apply, elsewhere only `Accept-Language`, which bots do not send.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        accepted = request.META.get("HTTP_ACCEPT_LANGUAGE")
        if not accepted or IN_BACK_OFFICE(request.path_info):
            return super().__call__(request)
        with translation.override(choose_language(accepted), deactivate=True):
            return self.get_response(request)  # type: ignore[return-value] # see BackOfficeOnly

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        translation.deactivate()
        return response


class CsrfViewMiddleware(BackOfficeOnly, csrf.CsrfViewMiddleware):
    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseForbidden | None:
        if IN_BACK_OFFICE(request.path_info):
            return super().process_view(request, callback, args, kwargs)
        return None


class AuthenticationMiddleware(BackOfficeOnly, auth.AuthenticationMiddleware):
    """Leads those whose form came after their session had ended back to the page with the form. The address to which
    it was sent may take POST only, and would be an empty page after signing in."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        sign_in = reverse("admin:login")
        if request.method == "POST" and response.headers.get("Location", "").startswith(f"{sign_in}?"):
            response["Location"] = redirect_to_login(page_before(request), sign_in).url
        return response


def page_before(request: HttpRequest) -> str:
    """The page of the back-office from which the browser comes, by its `Referer`, else the first page."""
    referer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referer, allowed_hosts={request.get_host()}):
        page = urlsplit(referer)
        if IN_BACK_OFFICE(page.path):
            return page._replace(scheme="", netloc="", fragment="").geturl()
    return reverse("admin:index")


class TimeZoneMiddleware:
    """Shows the back-office in the viewer's time zone. Everything else, and what runs later, has the service's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not IN_BACK_OFFICE(request.path_info):
            return self.get_response(request)
        zone = time_zones.zone_of_viewer(request)
        request.time_zone = zone  # type: ignore[attr-defined] # for the note at the end of each page
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


class OwnChangesAreSeen:
    """What a user of the back-office has just changed must be in what they read next: their browser keeps a mark for as
    long as a replica may be behind. Others ask for the newest by `Cache-Control: no-cache`."""

    def __init__(self, get_response: Answer) -> None:
        if replica.ALIAS not in settings.DATABASES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # Not reset afterwards: an answer may be made piece by piece. The next request of this thread sets it again.
        replica.wants_current.set(
            "no-cache" in request.headers.get("Cache-Control", "") or HAS_CHANGED in request.COOKIES
        )
        response = self.get_response(request)
        if request.method == "POST" and IN_BACK_OFFICE(request.path_info):
            response.set_cookie(
                HAS_CHANGED,
                "1",
                max_age=settings.DATABASE_REPLICA_MAX_LAG,
                path=reverse("admin:index"),
                secure=settings.HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response


class MessageMiddleware(BackOfficeOnly, messages.MessageMiddleware): ...


class SecondFactorMiddleware(BackOfficeOnly):
    """Redirects users who have or need a second factor to its page until they have used it."""

    BEFORE = ("admin:login", "admin:logout", "set_language", "two_factor_code")

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.tell_device = OTPMiddleware(lambda request: None)

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        self.tell_device(request)
        user = request.user
        if not user.is_authenticated or user.is_verified() or request.path in map(reverse, self.BEFORE):  # type: ignore[attr-defined]
            return None
        if two_factor.is_on(user):
            return redirect("two_factor_code")
        if two_factor.is_demanded_of(user) and request.path != reverse("two_factor"):
            return redirect("two_factor")
        return None
