import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.filters import FilterInvalid, KeyFilter, clean_events, clean_ips

words = st.sampled_from(["a", "ab", "abc", "b", "bc"])
names = st.one_of(words, st.tuples(words, words).map("/".join))
patterns = st.one_of(names, names.map(lambda name: f"{name}/*"))
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
networks = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)), st.tuples(st.ip_addresses(v=6), st.integers(0, 128))
).map(lambda pair: str(ipaddress.ip_network(f"{pair[0]}/{pair[1]}", strict=False)))


def key_filter(mode: str, events: list[str] | None = None, ips: list[str] | None = None) -> KeyFilter:
    return KeyFilter(is_allow=mode == "allow", events=events or [], ips=ips or [])


@given(st.lists(patterns, min_size=1), names)
def test_deny_is_the_opposite_of_allow(entries: list[str], name: str) -> None:
    allowed = key_filter("allow", entries).allows_event(name)
    assert key_filter("deny", entries).allows_event(name) is not allowed
    assert allowed is any(
        name.startswith(entry[:-1]) if entry.endswith("*") else name == entry for entry in entries
    )


@given(st.lists(st.one_of(addresses, networks), min_size=1), addresses)
def test_addresses_are_matched_as_the_library_says(entries: list[str], ip: str) -> None:
    address = ipaddress.ip_address(ip)
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    is_listed = any(
        address in ipaddress.ip_network(entry, strict=False)
        for entry in entries
        if ipaddress.ip_network(entry, strict=False).version == address.version
    )
    assert key_filter("allow", ips=entries).allows_ip(ip) is is_listed
    assert key_filter("deny", ips=entries).allows_ip(ip) is not is_listed


@given(names, addresses, st.sampled_from(["allow", "deny"]))
def test_an_empty_filter_refuses_nothing(name: str, ip: str, mode: str) -> None:
    empty = key_filter(mode)
    assert empty.allows_event(name)
    assert empty.allows_ip(ip)
    assert not empty.has_events
    assert not empty.has_ips


@given(st.lists(st.one_of(patterns, st.just("  "), st.just(""))))
def test_cleaned_entries_stay_the_same(entries: list[str]) -> None:
    cleaned = clean_events(entries)
    assert clean_events(cleaned) == cleaned
    assert set(cleaned) == {entry for entry in entries if entry.strip()}
    assert len(cleaned) == len(set(cleaned))


@given(st.lists(st.one_of(addresses, networks)))
def test_cleaned_addresses_stay_the_same(entries: list[str]) -> None:
    assert clean_ips(clean_ips(entries)) == clean_ips(entries)


def test_one_list_does_not_restrict_what_the_other_is_about() -> None:
    only_events = key_filter("allow", ["orders/*"])
    assert only_events.allows_ip("203.0.113.1")
    assert only_events.allows_ip("")
    only_ips = key_filter("allow", ips=["203.0.113.0/24"])
    assert only_ips.allows_event("anything")


@pytest.mark.parametrize("ip", ["", "not an address", "203.0.113.1.1"])
def test_an_unknown_address_is_on_no_list(ip: str) -> None:
    assert not key_filter("allow", ips=["0.0.0.0/0", "::/0"]).allows_ip(ip)
    assert key_filter("deny", ips=["0.0.0.0/0"]).allows_ip(ip)


def test_a_mapped_address_is_the_one_that_it_maps() -> None:
    assert key_filter("allow", ips=["203.0.113.7"]).allows_ip("::ffff:203.0.113.7")
    assert not key_filter("deny", ips=["203.0.113.0/24"]).allows_ip("::ffff:203.0.113.7")


@pytest.mark.parametrize("entry", ["a*b", "*/x", "a\x00b", "x" * 257])
def test_bad_event_entries(entry: str) -> None:
    with pytest.raises(FilterInvalid):
        clean_events([entry])


@pytest.mark.parametrize("entry", ["localhost", "10.0.0.0/33", "1.2.3", "::/129", "10.0.0.1 10.0.0.2"])
def test_bad_addresses(entry: str) -> None:
    with pytest.raises(FilterInvalid):
        clean_ips([entry])


def test_addresses_get_their_usual_form() -> None:
    assert clean_ips([" 10.1.2.3/8 ", "2001:DB8::1", "10.0.0.0/8", ""]) == ["10.0.0.0/8", "2001:db8::1"]


def test_a_filter_has_an_end() -> None:
    assert len(clean_events([f"e{number}" for number in range(200)])) == 200
    with pytest.raises(FilterInvalid, match="at most 200"):
        clean_events([f"e{number}" for number in range(201)])
