"""Ranges of addresses from which an organisation may be seen."""

import pytest

from apps.tenancy.exceptions import InvalidNetwork
from apps.tenancy.networks import MAX_NETWORKS, contains, parse_networks


def test_ranges_are_kept_as_they_are_usually_written() -> None:
    text = " 192.0.2.7/24\n198.51.100.1, 2001:DB8::1/32\n\n192.0.2.0/24 "
    assert parse_networks(text) == ["192.0.2.0/24", "198.51.100.1/32", "2001:db8::/32"]
    assert parse_networks(" \n") == []


@pytest.mark.parametrize("text", ["192.0.2.0/33", "example.com", "300.1.1.1", "192.0.2.0/24/8"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidNetwork):
        parse_networks(text)


def test_there_are_not_too_many() -> None:
    addresses = [f"10.0.0.{number}" for number in range(MAX_NETWORKS + 1)]
    assert len(parse_networks(" ".join(addresses[:-1]))) == MAX_NETWORKS
    with pytest.raises(InvalidNetwork):
        parse_networks(" ".join(addresses))


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("192.0.2.9", True),
        ("::ffff:192.0.2.9", True),
        ("192.0.3.9", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("", False),
        (None, False),
        ("nonsense", False),
    ],
)
def test_who_may_come_in(ip: str | None, expected: bool) -> None:
    assert contains(["192.0.2.0/24", "2001:db8::/32"], ip) is expected


def test_without_ranges_everybody_may() -> None:
    assert contains([], None) is True
