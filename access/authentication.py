"""`Authorization: Bearer <key>`: who calls."""

from functools import partial
from typing import Any

from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from access import keys
from access.models import ApiKey
from core.db.compiled import Later


class BadKey(AuthenticationFailed):
    """One answer for a key that is wrong, revoked or expired: which of them is nobody's business."""

    default_code = "unauthenticated"
    default_detail = "This key is not valid."


class KeyAuthentication(BaseAuthentication):
    """Makes `request.auth` the key; there is no user. Other schemes than Bearer are somebody else's, such as a
    proxy's. A key that is given is looked at also where none is needed."""

    @sensitive_variables("secret")
    def authenticate(self, request: Request) -> tuple[None, ApiKey] | None:
        # Not from request.headers, which would spell all of them anew.
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        secret = secret.strip()
        if getattr(request.parser_context.get("view"), "confirms_caller", False) and (recalled := keys.recall(secret)):
            request.confirm_caller = partial(confirm, recalled)  # type: ignore[attr-defined] # see core.api.caller
            return None, recalled
        key = keys.recognise(secret)
        if key is None:
            raise BadKey
        return None, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def confirm(key: ApiKey) -> Later[None]:
    """With the caller's next statement. Its answer raises BadKey when the key is no longer valid."""
    is_live = keys.confirm(key)

    def wait() -> None:
        if not is_live():
            raise BadKey

    return wait


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # it registers itself
    """What the API documentation says of it."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A source key registers and reads contacts of its own source. A management key does "
            "everything. Where the service runs with `API_KEYS=open`, no key is needed.",
        }
