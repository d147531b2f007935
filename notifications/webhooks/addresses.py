"""Which addresses may be called: no others than public ones, except networks that WEBHOOK_PRIVATE_NETWORKS names."""

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import FieldError, Invalid

if TYPE_CHECKING:
    from AntiSSRF import AntiSSRFPolicy

LONGEST = 1000  # characters
HOST = re.compile(r"[A-Za-z0-9_.:-]+|\[[0-9A-Fa-f:.]+\](:[0-9]*)?")


def read_url(text: str) -> str:
    """The address as it is stored. Raises Invalid for what cannot be called, and for literal private addresses.

    Names are resolved when something is sent, because their addresses may change.
    """
    try:
        parts = urlsplit(text)
        is_valid = is_plain(text) and is_callable(parts)
    except ValueError:
        is_valid = False
    if not is_valid or len(text) > LONGEST:
        detail = _("This is not a valid address (expected https://host/path).")
        raise Invalid(FieldError("url", "invalid", detail))
    if not is_allowed_literal(parts.hostname or ""):
        detail = _("This address belongs to a private network, which WEBHOOK_PRIVATE_NETWORKS does not name.")
        raise Invalid(FieldError("url", "private_address", detail))
    return text


def is_callable(parts: SplitResult) -> bool:
    """Raises ValueError for a port that is no number. User names and passwords would be shown on pages."""
    has_host = bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    return parts.scheme in ("http", "https") and has_host and bool(HOST.fullmatch(parts.netloc))


def is_plain(text: str) -> bool:
    """Asked of the text itself: `urlsplit` leaves out line breaks and tabs."""
    return all(character.isascii() and character.isprintable() and character != " " for character in text)


def is_allowed_literal(host: str) -> bool:
    """Whether the host is a name, or an IP address that may be called."""
    from AntiSSRF import IPAddressRanges  # which imports requests: not in a process that never needs it

    try:
        given = ip_address("127.0.0.1" if host.lower().rstrip(".") == "localhost" else host)
    except ValueError:
        return True
    address = getattr(given, "ipv4_mapped", None) or given
    is_private = any(address in ip_network(network) for network in IPAddressRanges.recommended_latest)
    return not is_private or any(address in ip_network(network) for network in settings.WEBHOOK_PRIVATE_NETWORKS)


def policy() -> "AntiSSRFPolicy":
    """The same rule for the moment of connecting, when names have been resolved."""
    from AntiSSRF import AntiSSRFPolicy, PolicyConfigOptions

    made = AntiSSRFPolicy(PolicyConfigOptions.EXTERNAL_ONLY_LATEST)
    made.add_xff_header = False
    made.allow_plain_text_http = True
    if settings.WEBHOOK_PRIVATE_NETWORKS:
        made.add_allowed_addresses(settings.WEBHOOK_PRIVATE_NETWORKS)
    return made
