"""From where a request comes, whatever it claims: the word of a proxy counts, that of a stranger does not."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

IPV6_SUBSCRIBER = 64  # bits; one subscriber has all addresses of such a network


def client_address(request: HttpRequest) -> str:
    """The address of the client; empty when the server knows none.

    Each proxy appends the address of its client to `X-Forwarded-For`. From the right, the first address that is not
    one of TRUSTED_PROXIES is the client; the client may have written everything left of it itself.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    for claimed in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not (is_trusted(address) and is_address(claimed.strip())):
            break
        address = claimed.strip()
    return address


def client_network(request: HttpRequest) -> str | None:
    """The key by which attempts are counted: the IPv4 address, or the IPv6 network of one subscriber."""
    address = client_address(request)
    if not is_address(address):
        return None
    if isinstance(found := unmapped(address), IPv6Address):
        return str(IPv6Network((found, IPV6_SUBSCRIBER), strict=False).network_address)
    return str(found)


def is_trusted(address: str) -> bool:
    return is_address(address) and any(unmapped(address) in ip_network(name) for name in settings.TRUSTED_PROXIES)


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def unmapped(text: str) -> IPv4Address | IPv6Address:
    """An IPv4 client of a socket that listens on IPv6 as well is still one of IPv4."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address
