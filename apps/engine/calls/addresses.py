"""Where outbound requests may go: the SSRF policy (spec 04, 6.4).

The same policy is asked three times: about the URL, about what DNS answered, and about the address
of each socket right before it connects. The last one is what counts; the others give better errors.
"""

import errno
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL


class AddressBlocked(OSError):
    """The policy forbids this destination; `rule` says why. An OSError, as asyncio expects of sockets."""

    def __init__(self, rule: str) -> None:
        super().__init__(errno.EACCES, rule)
        self.rule = rule


_PRIVATE = tuple(
    (ip_network(network), rule)
    for network, rule in (
        ("0.0.0.0/8", "unspecified address"),
        ("10.0.0.0/8", "private address"),
        ("100.64.0.0/10", "shared address space"),
        ("127.0.0.0/8", "loopback address"),
        ("169.254.0.0/16", "link-local address"),
        ("172.16.0.0/12", "private address"),
        ("192.0.0.0/24", "protocol assignment address"),
        ("192.0.2.0/24", "documentation address"),
        ("192.88.99.0/24", "relay address"),
        ("192.168.0.0/16", "private address"),
        ("198.18.0.0/15", "benchmarking address"),
        ("198.51.100.0/24", "documentation address"),
        ("203.0.113.0/24", "documentation address"),
        ("::/128", "unspecified address"),
        ("::1/128", "loopback address"),
        ("100::/64", "discard address"),
        ("2001::/23", "protocol assignment address"),
        ("2001:db8::/32", "documentation address"),
        ("3fff::/20", "documentation address"),
        ("5f00::/16", "segment routing address"),
        ("fc00::/7", "unique local address"),
        ("fe80::/10", "link-local address"),
        ("fec0::/10", "site-local address"),
    )
)
# Nobody's app lives here, so these stay forbidden where private networks are allowed.
_NEVER = tuple(
    (ip_network(network), rule)
    for network, rule in (
        ("169.254.169.254/32", "cloud metadata address"),
        ("169.254.170.2/32", "cloud metadata address"),
        ("169.254.170.23/32", "cloud metadata address"),
        ("100.100.100.200/32", "cloud metadata address"),
        ("fd00:ec2::254/128", "cloud metadata address"),
        ("fd00:ec2::23/128", "cloud metadata address"),
        ("fd20:ce::254/128", "cloud metadata address"),
        ("224.0.0.0/4", "multicast address"),
        ("240.0.0.0/4", "reserved or broadcast address"),
        ("ff00::/8", "multicast address"),
    )
)
# Networks whose last 32 bits are an IPv4 address that a router or the kernel goes to instead.
_EMBEDDING = (
    IPv6Network("::ffff:0:0/96"),
    IPv6Network("::ffff:0:0:0/96"),
    IPv6Network("::/96"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
)
_SIX_TO_FOUR = IPv6Network("2002::/16")

_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.goog",
        "metadata.google.internal",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.azure.internal",
        "metadata.tencentyun.com",
    }
)
_PRIVATE_SUFFIXES = (".localhost", ".docker.internal", ".containers.internal")


class AddressPolicy:
    """`allow_private` opens loopback, private and link-local ranges, for development and self-hosting."""

    def __init__(self, *, allow_private: bool) -> None:
        self.allow_private = allow_private

    def require_url(self, url: URL) -> None:
        """Raises AddressBlocked for a URL that may not be requested, before anything is resolved."""
        rule = blocked_url_rule(url, self.allow_private)
        if rule:
            raise AddressBlocked(rule)

    def require_address(self, address: str) -> None:
        """Raises AddressBlocked for an IP address that may not be connected to."""
        rule = blocked_rule(address.partition("%")[0], self.allow_private)
        if rule:
            raise AddressBlocked(rule)


@lru_cache(maxsize=4096)
def blocked_url_rule(url: URL, allow_private: bool) -> str:
    """The rule that forbids a URL, empty when it is allowed as far as its text tells."""
    if url.scheme not in ("http", "https"):
        return "only http and https are allowed"
    if url.raw_user is not None or url.raw_password is not None:
        return "credentials in the URL are not allowed"
    if not url.raw_host:
        return "the URL has no host"
    if not url.port:
        return "the port is not allowed"
    return _blocked_host_rule(url.raw_host.rstrip(".").lower(), allow_private)


def _blocked_host_rule(name: str, allow_private: bool) -> str:
    if name in _METADATA_NAMES:
        return "cloud metadata name"
    if not allow_private and f".{name}".endswith(_PRIVATE_SUFFIXES):
        return "local host name"
    address = name.partition("%")[0]
    return blocked_rule(address, allow_private) if _is_address(address) else ""


@lru_cache(maxsize=4096)
def blocked_rule(address: str, allow_private: bool) -> str:
    """The rule that forbids an IP address, empty when it is allowed."""
    parsed = ip_address(address)
    for form in (parsed, *_embedded(parsed)):
        for network, rule in _NEVER if allow_private else _NEVER + _PRIVATE:
            if form.version == network.version and form in network:
                return rule
    return ""


def _embedded(address: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address carries inside."""
    if isinstance(address, IPv4Address):
        return ()
    if address in _SIX_TO_FOUR:
        return (IPv4Address((int(address) >> 80) & 0xFFFFFFFF),)
    # `::` and `::1` are addresses of their own.
    if int(address) > 1 and any(address in network for network in _EMBEDDING):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
