"""Authenticates callers by `Authorization: Bearer <key>`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from access import keys
from access.models import ApiKey


class BadKey(AuthenticationFailed):
    """The same answer for a wrong, a revoked and an expired key, so that it reveals nothing."""

    default_code = "unauthenticated"
    default_detail = _("This key is not valid.")


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the key; there is no user. Schemes other than Bearer are ignored: a proxy may use them.
    A key is checked also where none is required."""

    @sensitive_variables("secret")
    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        # Not from request.headers, which would rebuild all headers.
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = keys.find_live_key(secret.strip())
        if key is None:
            raise BadKey
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # it registers itself
    """Describes the keys in the API documentation."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A source key registers and reads contacts of its own source. A management key does "
            "everything. Where the service runs with `API_KEYS=open`, no key is needed.",
        }
