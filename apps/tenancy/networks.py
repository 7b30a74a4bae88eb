"""Ranges of addresses from which an organisation's pages may be seen (spec 05, 2.7). Pure."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from apps.tenancy.exceptions import InvalidNetwork

MAX_NETWORKS: Final = 100


def parse_networks(text: str) -> list[str]:
    """One address or CIDR range a line or comma, v4 or v6, each as it is usually written. Raises
    InvalidNetwork."""
    words = text.replace(",", "\n").split()
    if len(words) > MAX_NETWORKS:
        raise InvalidNetwork(f"There may be {MAX_NETWORKS} ranges at most.")
    return list(dict.fromkeys(_normal(word) for word in words))


def contains(networks: Sequence[str], ip: str | None) -> bool:
    """Whether the address may come in; without any range every one may."""
    if not networks:
        return True
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return False
    return _is_in(_unmapped(address), networks)


def _normal(word: str) -> str:
    try:
        return str(ipaddress.ip_network(word, strict=False))
    except ValueError:
        raise InvalidNetwork(f"{word[:50]} is neither an address nor a range such as 192.0.2.0/24.") from None


def _unmapped(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """A socket of both families names IPv4 callers as `::ffff:192.0.2.1`."""
    return getattr(address, "ipv4_mapped", None) or address


def _is_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Iterable[str]) -> bool:
    return any(address in ipaddress.ip_network(network) for network in networks)
