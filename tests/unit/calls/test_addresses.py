"""The SSRF policy (spec 04, 6.4): addresses, URLs, names, and what DNS may do to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from apps.engine.calls import failures
from apps.engine.calls.addresses import AddressBlocked, AddressPolicy, blocked_rule
from apps.engine.calls.app_client import AppClient
from apps.engine.calls.failures import TransportFailed
from tests.unit.calls.servers import (
    ANYWHERE,
    PUBLIC_ONLY,
    ListedResolver,
    OnlyThisServer,
    always,
    http,
    serving,
)


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("0.0.0.0", "unspecified address"),
        ("10.1.2.3", "private address"),
        ("100.64.0.1", "shared address space"),
        ("127.0.0.1", "loopback address"),
        ("127.255.255.255", "loopback address"),
        ("169.254.1.1", "link-local address"),
        ("172.16.0.1", "private address"),
        ("172.31.255.255", "private address"),
        ("192.0.2.1", "documentation address"),
        ("192.168.1.1", "private address"),
        ("198.18.0.1", "benchmarking address"),
        ("198.51.100.1", "documentation address"),
        ("203.0.113.1", "documentation address"),
        ("::", "unspecified address"),
        ("::1", "loopback address"),
        ("2001:db8::1", "documentation address"),
        ("fc00::1", "unique local address"),
        ("fd12::1", "unique local address"),
        ("fe80::1", "link-local address"),
        ("febf::1", "link-local address"),
        ("fec0::1", "site-local address"),
        ("::ffff:127.0.0.1", "loopback address"),
        ("::ffff:0:10.0.0.1", "private address"),
        ("::127.0.0.1", "loopback address"),
        ("64:ff9b::10.0.0.1", "private address"),
        ("64:ff9b:1::192.168.0.1", "private address"),
        ("2002:7f00:1::", "loopback address"),
    ],
)
def test_private_addresses_are_a_matter_of_the_setting(address: str, rule: str) -> None:
    assert blocked_rule(address, allow_private=False) == rule
    assert blocked_rule(address, allow_private=True) == ""


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("169.254.169.254", "cloud metadata address"),
        ("169.254.170.2", "cloud metadata address"),
        ("100.100.100.200", "cloud metadata address"),
        ("fd00:ec2::254", "cloud metadata address"),
        ("::ffff:169.254.169.254", "cloud metadata address"),
        ("64:ff9b::169.254.169.254", "cloud metadata address"),
        ("224.0.0.1", "multicast address"),
        ("ff02::1", "multicast address"),
        ("255.255.255.255", "reserved or broadcast address"),
        ("240.0.0.1", "reserved or broadcast address"),
    ],
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_addresses_that_no_setting_opens(address: str, rule: str, allow_private: bool) -> None:
    assert blocked_rule(address, allow_private) == rule


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_public_addresses(address: str) -> None:
    assert blocked_rule(address, allow_private=False) == ""


@given(st.ip_addresses(v=4), st.booleans())
def test_an_address_fares_alike_in_every_form(address: object, allow_private: bool) -> None:
    rule = blocked_rule(str(address), allow_private)
    assert blocked_rule(f"::ffff:{address}", allow_private) == rule
    assert blocked_rule(f"64:ff9b::{address}", allow_private) == rule


def rule_for(policy: AddressPolicy, url: str) -> str:
    try:
        policy.require_url(URL(url))
    except AddressBlocked as blocked:
        return blocked.rule
    return ""


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("ftp://example.com/", "only http and https are allowed"),
        ("file:///etc/passwd", "only http and https are allowed"),
        ("//example.com/", "only http and https are allowed"),
        ("http://user@example.com/", "credentials in the URL are not allowed"),
        ("http://:pw@example.com/", "credentials in the URL are not allowed"),
        ("http:///x", "the URL has no host"),
        ("http://example.com:0/", "the port is not allowed"),
        ("http://metadata.google.internal/", "cloud metadata name"),
        ("http://METADATA.google.internal./", "cloud metadata name"),
        ("http://metadata/", "cloud metadata name"),
        ("http://169.254.169.254/latest", "cloud metadata address"),
        ("http://[::ffff:a9fe:a9fe]/", "cloud metadata address"),
    ],
)
def test_urls_that_no_setting_opens(url: str, rule: str) -> None:
    assert rule_for(ANYWHERE, url) == rule
    assert rule_for(PUBLIC_ONLY, url) == rule


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://localhost:3000/", "local host name"),
        ("http://app.LOCALHOST./", "local host name"),
        ("http://host.docker.internal/", "local host name"),
        ("http://host.containers.internal/", "local host name"),
        ("http://127.0.0.1:3000/", "loopback address"),
        ("http://[::1]/", "loopback address"),
        ("http://[fe80::1%25eth0]/", "link-local address"),
    ],
)
def test_urls_that_are_private(url: str, rule: str) -> None:
    assert rule_for(ANYWHERE, url) == ""
    assert rule_for(PUBLIC_ONLY, url) == rule


@pytest.mark.parametrize(
    "url", ["https://example.com/", "http://example.com:65535/x?y=1", "https://localhost.example.com"]
)
def test_public_urls(url: str) -> None:
    assert rule_for(PUBLIC_ONLY, url) == ""


async def failed_call(
    policy: AddressPolicy, url: str, resolver: ListedResolver | None = None
) -> TransportFailed:
    async with AppClient(policy, resolver=resolver) as client:
        with pytest.raises(TransportFailed) as failure:
            await client.call(url, {}, b"{}")
    return failure.value


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0x7f000001"])
async def test_odd_spellings_of_addresses_do_not_get_through(host: str) -> None:
    async with serving(always(http())) as server:
        failure = await failed_call(PUBLIC_ONLY, server.url(host=host))
        assert failure.kind in (failures.BLOCKED, failures.INVALID_URL)
        assert server.connections == 0


async def test_names_that_lead_into_private_space() -> None:
    async with serving(always(http())) as server:
        failure = await failed_call(
            PUBLIC_ONLY, server.url(host="app.example"), ListedResolver(["127.0.0.1"])
        )
        assert (failure.kind, failure.detail) == (failures.BLOCKED, "loopback address")
        assert server.connections == 0


async def test_only_the_allowed_addresses_of_a_name_are_tried() -> None:
    async with serving(always(http(b"1"))) as server:
        resolver = ListedResolver(["10.0.0.1", "127.0.0.1", "169.254.169.254"])
        async with AppClient(OnlyThisServer(), resolver=resolver) as client:
            answer = await client.call(server.url(host="app.example"), {}, b"{}")
        assert answer.body == b"1"


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """Rebinding: a name that answers with another address the second time is not asked twice."""
    async with serving(always(http(b"1"))) as server:
        resolver = ListedResolver(["127.0.0.1"], ["169.254.169.254"])
        async with AppClient(OnlyThisServer(), resolver=resolver) as client:
            await client.call(server.url(host="app.example"), {}, b"{}")
        assert resolver.questions == ["app.example"]


async def test_a_name_that_turns_private_is_refused_from_then_on() -> None:
    async with serving(always(http(b"1"))) as server:
        resolver = ListedResolver(["127.0.0.1"], ["127.0.0.2"])
        async with AppClient(OnlyThisServer(), resolver=resolver) as client:
            await client.call(server.url(host="app.example"), {}, b"{}")
        failure = await failed_call(OnlyThisServer(), server.url(host="app.example"), resolver)
        assert failure.detail == "loopback address"
        assert len(server.requests) == 1


class NamesUnchecked(AddressPolicy):
    def require_url(self, url: URL) -> None:
        pass


async def test_the_socket_itself_is_checked() -> None:
    async with serving(always(http())) as server:
        failure = await failed_call(NamesUnchecked(allow_private=False), server.url())
        assert (failure.kind, failure.detail) == (failures.BLOCKED, "loopback address")
        assert server.connections == 0


@pytest.mark.parametrize(
    ("location", "detail"),
    [
        ("http://10.0.0.1/", "private address"),
        ("http://[::1]/", "loopback address"),
        ("http://localhost/", "local host name"),
        ("http://metadata.google.internal/", "cloud metadata name"),
        ("file:///etc/passwd", "only http and https are allowed"),
        ("http://u:p@127.0.0.1/", "credentials in the URL are not allowed"),
    ],
)
@pytest.mark.parametrize("status", [302, 307])
async def test_redirects_into_private_space(status: int, location: str, detail: str) -> None:
    async with serving(always(http(status=status, Location=location))) as server:
        failure = await failed_call(
            OnlyThisServer(), server.url(host="app.example"), ListedResolver(["127.0.0.1"])
        )
        assert (failure.kind, failure.detail) == (failures.BLOCKED, detail)
        assert len(server.requests) == 1
