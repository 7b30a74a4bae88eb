"""Headers and query of a delivery, and what the log may show of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.incoming import Incoming, QueryInvalid, canonical_name, headers_of, query_of
from apps.webhooks.redaction import redacted_headers, redacted_query


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("x-github-event", "X-Github-Event"),
        ("STRIPE-SIGNATURE", "Stripe-Signature"),
        ("svix-id", "Svix-Id"),
        ("etag", "Etag"),
        ("x-hub-signature-256", "X-Hub-Signature-256"),
        ("x--y", "X--Y"),
    ],
)
def test_canonical_names(name: str, canonical: str) -> None:
    assert canonical_name(name) == canonical


def test_values_of_one_name_are_joined() -> None:
    raw = [(b"X-A", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")]
    assert headers_of(raw) == {"x-a": "1, 2", "x-b": "é"}


def test_query_values_are_lists() -> None:
    assert query_of(b"a=1&b=&a=2&c") == {"a": ["1", "2"], "b": [""], "c": [""]}


def test_a_query_is_bounded() -> None:
    with pytest.raises(QueryInvalid):
        query_of(b"&".join(b"a=1" for _ in range(201)))


def test_hidden_headers() -> None:
    incoming = Incoming("POST", {"authorization": "Basic x", "a": "b"}, {}, b"", 0)
    assert incoming.without({"authorization", "absent"}).canonical_headers == {
        "Authorization": "[redacted]",
        "A": "b",
    }
    assert incoming.without(frozenset()) is incoming


@given(st.binary(max_size=300))
def test_no_query_raises_anything_else(raw: bytes) -> None:
    try:
        query_of(raw)
    except QueryInvalid:
        return


def test_the_log_shows_no_secrets() -> None:
    shown = ["Content-Type", "User-Agent", "X-Github-Event", "X-Github-Delivery", "Svix-Id", "Linear-Event"]
    hidden = ["Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "X-My-Secret"]
    hidden += ["Stripe-Signature", "X-Hub-Signature-256", "X-Shopify-Hmac-Sha256", "Svix-Signature", "X-Mine"]
    redacted = redacted_headers(dict.fromkeys([*shown, *hidden], "value"), {"x-mine"})
    assert [name for name, value in redacted.items() if value == "value"] == shown
    assert {redacted[name] for name in hidden} == {"[redacted]"}


def test_the_log_shows_no_secrets_of_a_query() -> None:
    query = {"tag": ["a", "b"], "token": ["t"], "api_key": ["k"], "key": ["k"], "hub.challenge": ["1"]}
    assert redacted_query(query) == {
        "tag": ["a", "b"],
        "token": ["[redacted]"],
        "api_key": ["[redacted]"],
        "key": ["[redacted]"],
        "hub.challenge": ["1"],
    }
