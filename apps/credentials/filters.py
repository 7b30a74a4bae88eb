"""What an event key lets through (spec 05, 2.1): event names, and addresses of senders. Pure."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

MAX_ENTRIES: Final = 200
MAX_ENTRY_LENGTH: Final = 256

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class FilterInvalid(Exception):
    """An entry is no name, pattern, address or network; the message names it."""


class KeyFilter:
    """Either allows what is listed and nothing else, or denies what is listed.

    Each list counts by itself: a list without entries restricts nothing, in either mode.
    """

    def __init__(self, *, is_allow: bool, events: Iterable[str], ips: Iterable[str]) -> None:
        self._is_allow = is_allow
        names = list(events)
        self._names = frozenset(name for name in names if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in names if name.endswith("*"))
        self._networks = tuple(_network(text) for text in ips)
        self.has_events = bool(names)
        self.has_ips = bool(self._networks)

    def allows_event(self, name: str) -> bool:
        if not self.has_events:
            return True
        is_listed = name in self._names or name.startswith(self._prefixes)
        return is_listed is self._is_allow

    def allows_ip(self, text: str) -> bool:
        """A sender whose address is not known is on no list."""
        if not self.has_ips:
            return True
        address = _address(text)
        is_listed = address is not None and any(
            address in network for network in self._networks if network.version == address.version
        )
        return is_listed is self._is_allow


def clean_events(entries: Iterable[str]) -> list[str]:
    """Names and `prefix*` patterns, without blank lines and repetitions. Raises FilterInvalid."""
    cleaned = _cleaned(entries)
    for entry in cleaned:
        if "*" in entry[:-1]:
            raise FilterInvalid(f"{entry!r}: the * may only stand at the end")
    return cleaned


def clean_ips(entries: Iterable[str]) -> list[str]:
    """Addresses and networks in their usual form. Raises FilterInvalid."""
    found: list[str] = []
    for entry in _cleaned(entries):
        try:
            found.append(str(_network(entry)) if "/" in entry else str(ipaddress.ip_address(entry)))
        except ValueError:
            raise FilterInvalid(f"{entry!r} is neither an address nor a network") from None
    return list(dict.fromkeys(found))


def _cleaned(entries: Iterable[str]) -> list[str]:
    cleaned = list(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))
    if len(cleaned) > MAX_ENTRIES:
        raise FilterInvalid(f"a filter has at most {MAX_ENTRIES} entries")
    for entry in cleaned:
        if len(entry) > MAX_ENTRY_LENGTH or not entry.isprintable():
            raise FilterInvalid(f"{entry[:40]!r} is too long, or holds control characters")
    return cleaned


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=False)


@lru_cache(maxsize=4096)
def _address(text: str) -> Address | None:
    """An IPv4 address that came over IPv6 is that IPv4 address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
