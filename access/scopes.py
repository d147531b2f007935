"""What a caller may do. A management key: everything. A source key: FOR_SOURCE_KEYS, for its own source only.

A new endpoint needs a management key until it is added there.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from access.models import ApiKey
from core.errors import Unknown

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by way of the settings

FOR_SOURCE_KEYS = {
    "api/v1/contacts": {"GET", "HEAD", "POST"},
    "api/v1/contacts/batch": {"POST"},
    "api/v1/contacts/<id:pk>": {"GET", "HEAD"},
    "api/v1/contacts/<id:pk>/decision": {"GET", "HEAD"},
    "api/v1/contacts/<id:pk>/history": {"GET", "HEAD"},
    "api/v1/events": {"GET", "HEAD"},
    "api/v1/contacts/<id:pk>/touch": {"POST"},  # a bot sees replies; taking and declining are for the operators' side
}


class NoKey(NotAuthenticated):
    default_code = "unauthenticated"
    default_detail = _("A valid key is required: Authorization: Bearer <key>.")


class NoKeyThroughProxy(NoKey):
    default_detail = _("A valid key is required, because this call came through a proxy.")


class NoKeyByOldHTTP(NoKey):
    default_detail = _("A valid key is required with HTTP/1.0, which proxies use. Use HTTP/1.1, or send a key.")


class NoKeyFromElsewhere(NoKey):
    default_detail = _("A valid key is required, because this call came from another machine.")


class Forbidden(PermissionDenied):
    default_code = "forbidden"


# What proxies, load balancers and content delivery networks write, as WSGI names it.
FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_REAL_",
    "HTTP_X_ORIGINAL_",
    "HTTP_X_CLIENT_",
    "HTTP_X_CLUSTER_CLIENT_",
    "HTTP_X_PROXY",
    "HTTP_X_ENVOY_",
    "HTTP_X_AMZN_",
    "HTTP_X_AZURE_",
    "HTTP_CLIENT_IP",
    "HTTP_TRUE_CLIENT_",
    "HTTP_FASTLY_",
    "HTTP_FLY_",
    "HTTP_CF_",
    "HTTP_CDN_LOOP",
)


class WithinScope(BasePermission):
    """Raises the refusal itself, because each has its own sentence."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key = key_of(request)
        if key is None:
            let_in_without_key(request)
        elif not key.is_management:
            require_own_source(key, request, view)
        return True


def key_of(request: Request) -> ApiKey | None:
    """None for a call without a key; an invalid key has been refused before."""
    key: Any = request.auth
    return key if isinstance(key, ApiKey) else None


def let_in_without_key(request: Request) -> None:
    """Lets a call in without a key where keys are not required.

    Only from this machine, unless API_KEYS_OPEN_ANYWHERE is set. A call through a proxy that TRUSTED_PROXIES does not
    name counts as one from elsewhere, if it can be recognised. A page of another site must not make a browser change
    anything. Names of other hosts are refused before, because ALLOWED_HOSTS has none (settings.py).
    """
    if settings.API_KEYS != "open":
        raise NoKey
    if not (settings.API_KEYS_OPEN_ANYWHERE or comes_from_this_machine(request)):
        raise NoKeyFromElsewhere
    if not settings.TRUSTED_PROXIES:
        refuse_proxies(request)
    if request.method not in SAFE_METHODS and is_led_by_another_site(request):
        raise Forbidden(_("A page of another site needs a key to do this."))


def comes_from_this_machine(request: Request) -> bool:
    """Judges by the address of the connection, which a client cannot forge. False for a Unix socket, which has none."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def refuse_proxies(request: Request) -> None:
    """Refuses what proxies send: a header of theirs, or HTTP/1.0, which nginx speaks unless it is told otherwise.

    A proxy or a tunnel on this machine that adds no header and speaks HTTP/1.1 cannot be told from a local program.
    """
    if any(name.startswith(FORWARDED) for name in request.META):
        raise NoKeyThroughProxy
    if request.META.get("SERVER_PROTOCOL") == "HTTP/1.0":
        raise NoKeyByOldHTTP


def is_led_by_another_site(request: Request) -> bool:
    """Whether a browser sends this for a page of another site. Pages cannot forge these headers; programs omit them.

    Browsers send `Sec-Fetch-Site` over HTTPS and to localhost only, and `Origin` over plain HTTP.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.get_host()


def require_own_source(key: ApiKey, request: Request, view: "APIView") -> None:
    """Raises Forbidden for what a source key may not do, Unknown for what it cannot see."""
    route = request.resolver_match.route if request.resolver_match else ""
    if request.method not in FOR_SOURCE_KEYS.get(route, ()):
        raise Forbidden(_("This call requires a management key."))
    if any(source_id not in (key.source_id, str(key.source_id)) for source_id in named_sources(request.data)):
        raise Forbidden(_("This key is for another source."))
    if "pk" in view.kwargs and not seen_by(key, view.get_queryset()).filter(pk=view.kwargs["pk"]).exists():  # type: ignore[attr-defined]
        raise Unknown("contact", view.kwargs["pk"])  # nothing else that a source key may ask for has an id


def named_sources(body: Any) -> Iterator[Any]:
    """The `source_id` of the body, or of each item of a batch, as it was sent. The view checks missing ones."""
    batch = body.get("contacts") if isinstance(body, dict) else None
    for item in [body, *batch] if isinstance(batch, list) else [body]:
        if isinstance(item, dict) and item.get("source_id") is not None:
            yield item["source_id"]


def seen_by(key: ApiKey, queryset: QuerySet[Any]) -> QuerySet[Any]:
    return queryset.filter(source_id=key.source_id)


class OwnSource(BaseFilterBackend):
    """Limits lists to the source of a source key."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> QuerySet[Any]:
        key = key_of(request)
        return queryset if key is None or key.is_management else seen_by(key, queryset)
