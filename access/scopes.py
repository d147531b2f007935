"""What a caller may do. A management key: everything. A source key: what stands below, for its own source.

A new endpoint is for management, until somebody adds it here.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.models import ApiKey

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by way of the settings

FOR_SOURCE_KEYS = {
    "api/v1/contacts": {"GET", "HEAD", "POST"},
    "api/v1/contacts/batch": {"POST"},
    "api/v1/contacts/<id:pk>": {"GET", "HEAD"},
    "api/v1/contacts/<id:pk>/decision": {"GET", "HEAD"},
    "api/v1/contacts/<id:pk>/history": {"GET", "HEAD"},
}


class NoKey(NotAuthenticated):
    default_code = "unauthenticated"
    default_detail = "A valid key is needed: Authorization: Bearer <key>."


class NoKeyThroughProxy(NoKey):
    default_detail = "This call came through a proxy, and so perhaps from anywhere: a valid key is needed."


class NoKeyFromElsewhere(NoKey):
    default_detail = "This call did not come from the machine itself: a valid key is needed."


class Forbidden(PermissionDenied):
    default_code = "forbidden"


# What proxies write, each its own.
FORWARDED = {"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip"}


class WithinScope(BasePermission):
    """Raises the refusal itself, because each has words of its own."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key = key_of(request)
        if key is None:
            let_in_without_key(request)
        elif not key.is_management:
            require_own_source(key, request, view)
        return True


def key_of(request: Request) -> ApiKey | None:
    """None when the call came without one; a bad one has been refused before."""
    key: Any = request.auth
    return key if isinstance(key, ApiKey) else None


def let_in_without_key(request: Request) -> None:
    """Only where keys are not required, and only what comes from this machine, unless API_KEYS_OPEN_ANYWHERE says that
    something else keeps strangers away. Where nobody has told of a proxy, what came through one came from elsewhere;
    and a browser must not be led by another site to change anything."""
    if settings.API_KEYS != "open":
        raise NoKey
    if not (settings.API_KEYS_OPEN_ANYWHERE or comes_from_this_machine(request)):
        raise NoKeyFromElsewhere
    if not settings.TRUSTED_PROXIES and not FORWARDED.isdisjoint(request.headers):
        raise NoKeyThroughProxy
    if request.method not in SAFE_METHODS and is_led_by_another_site(request):
        raise Forbidden("A page of another site may not do this without a key.")


def comes_from_this_machine(request: Request) -> bool:
    """By the address of the connection, which nobody can claim: where the server listens is not always ours to say, as
    with runserver. A socket in the file system has none; behind one anybody may stand."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_led_by_another_site(request: Request) -> bool:
    """What the browser says of the page that sends the request; no page can forge it. Programs say nothing.

    Browsers tell `Sec-Fetch-Site` to HTTPS and to this machine only, to plain HTTP elsewhere the `Origin`.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()


def require_own_source(key: ApiKey, request: Request, view: "APIView") -> None:
    """Forbidden for what a source key may not do, Http404 for what it cannot see."""
    route = request.resolver_match.route if request.resolver_match else ""
    if request.method not in FOR_SOURCE_KEYS.get(route, ()):
        raise Forbidden("This takes a management key.")
    if any(source_id not in (key.source_id, str(key.source_id)) for source_id in named_sources(request.data)):
        raise Forbidden("This key is for another source.")
    if "pk" in view.kwargs and not seen_by(key, view.get_queryset()).filter(pk=view.kwargs["pk"]).exists():  # type: ignore[attr-defined]
        raise Http404


def named_sources(body: Any) -> Iterator[Any]:
    """The source that the body names, or each of a batch, as it was spelled. What is missing is the view's to miss."""
    batch = body.get("contacts") if isinstance(body, dict) else None
    for item in [body, *batch] if isinstance(batch, list) else [body]:
        if isinstance(item, dict) and item.get("source_id") is not None:
            yield item["source_id"]


def seen_by(key: ApiKey, queryset: QuerySet[Any]) -> QuerySet[Any]:
    return queryset.filter(source_id=key.source_id)


class OwnSource(BaseFilterBackend):
    """Lists show a source key nothing but its own source."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        key = key_of(request)
        return queryset if key is None or key.is_management else seen_by(key, queryset)
