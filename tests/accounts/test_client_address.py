"""Whom a request is from: proxies are believed, clients are not."""

import pytest
from django.test import RequestFactory

from accounts.client_address import client_address, client_network


def request(peer, forwarded=None):
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


@pytest.fixture
def behind(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "fd00::/8"]


def test_without_proxies_the_header_is_worth_nothing():
    assert client_address(request("203.0.113.9", "198.51.100.1")) == "203.0.113.9"


def test_a_proxy_names_the_client(behind):
    assert client_address(request("10.0.0.2", "203.0.113.9")) == "203.0.113.9"


def test_what_the_client_wrote_itself_is_not_read(behind):
    assert client_address(request("10.0.0.2", "127.0.0.1, 198.51.100.1, 203.0.113.9")) == "203.0.113.9"


def test_a_chain_of_proxies_is_followed(behind):
    assert client_address(request("10.0.0.2", "198.51.100.1, 203.0.113.9, 10.7.7.7")) == "203.0.113.9"


def test_a_stranger_that_plays_proxy_is_not_believed(behind):
    assert client_address(request("203.0.113.9", "10.0.0.2")) == "203.0.113.9"


@pytest.mark.parametrize("nonsense", ["", "unknown", "203.0.113.9:4711", "198.51.100.1, <script>", ","])
def test_nonsense_leaves_the_proxy(behind, nonsense):
    assert client_address(request("10.0.0.2", nonsense)) == "10.0.0.2"


def test_a_client_that_only_proxies_have_seen_is_the_first_of_them(behind):
    assert client_address(request("10.0.0.2", "10.1.1.1, 10.2.2.2")) == "10.1.1.1"


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", None),
    ],
)
def test_attempts_are_counted_by_what_one_subscriber_has(peer, network):
    assert client_network(request(peer)) == network
