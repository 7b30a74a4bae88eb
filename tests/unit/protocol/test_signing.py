import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.engine.protocol.jcs import canonicalise
from apps.engine.protocol.signing import (
    SigningKeyError,
    bearer_matches,
    bearer_token,
    hash_signing_key,
    sign,
    strip_prefix,
    verify,
)

KEY = "signkey-test-0123456789abcdef0123456789abcdef"
OTHER = "signkey-prod-deadbeef"
T = 1_700_000_000


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        ("", "6458320a3e327061ab7bfe28ace9cb02bb2b840c75b483a0c002831176bd6256"),
        (
            '{"url":"http://localhost:3000/api/inngest"}',
            "ec31f215106eeded8cdfa7714fcf6c728e094bc61262616984aff9f990728fe3",
        ),
        ('{"a":"é<>&","b":1,"f":1.5}', "29c859c07f5fea1691f235a2bf56a897ab95151f0856926970295e7565584c21"),
    ],
)
def test_signatures_are_those_of_the_specification(body: str, digest: str) -> None:
    assert sign(KEY, body.encode(), T) == f"t={T}&s={digest}"


def test_signing_the_canonical_form() -> None:
    body = canonicalise('{"f":1.50, "b":1.0, "a":"é<>&"}'.encode())
    assert sign(KEY, body, T).endswith("29c859c07f5fea1691f235a2bf56a897ab95151f0856926970295e7565584c21")


def test_the_prefix_of_the_key_does_not_matter() -> None:
    assert sign(strip_prefix(KEY), b"x", T) == sign(KEY, b"x", T)


def test_a_signature_is_good_for_its_bytes_key_and_time() -> None:
    header = sign(KEY, b"body", T)
    assert verify(header, b"body", [KEY], now=T)
    assert verify(header, b"body", [OTHER, KEY], now=T + 300)
    assert not verify(header, b"body ", [KEY], now=T)
    assert not verify(header, b"body", [OTHER], now=T)
    assert not verify(header, b"body", [], now=T)
    assert not verify(header, b"body", [KEY], now=T + 301)
    assert not verify(header, b"body", [KEY], now=T - 301)
    assert verify(header, b"body", [KEY], now=T + 900, max_age=900)


@pytest.mark.parametrize(
    "header", ["", "t=&s=", "s=00", f"t={T}", f"t={T}&s=é", "t=x&s=00", "t=1700000000.5&s=00", "&" * 50]
)
def test_other_headers_prove_nothing(header: str) -> None:
    assert not verify(header, b"", [KEY], now=T)


@settings(deadline=None)
@given(st.text(), st.binary())
def test_no_header_breaks_the_check(header: str, body: bytes) -> None:
    assert verify(header, body, [KEY], now=T) is False


def test_hashed_keys_keep_their_prefix() -> None:
    assert (
        hash_signing_key("signkey-prod-0123456789abcdef0123456789abcdef")
        == "signkey-prod-223e0a160af9da0a03e6dd2c4719c56f5d66a633cbe84e78aaa9f3735865522a"
    )


@pytest.mark.parametrize("key", ["signkey-prod-abc", "signkey-prod-xyzz", "hello"])
def test_keys_that_are_not_hex(key: str) -> None:
    with pytest.raises(SigningKeyError):
        hash_signing_key(key)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Bearer", ""),
        ("", ""),
        ("Basic abc", ""),
        ("abc", ""),
    ],
)
def test_the_token_of_an_authorization_header(header: str, token: str) -> None:
    assert bearer_token(header) == token


HASH = "5f78c33274e43fa9de5659265c1d917e25c03722dcb0b8d27db8d5feaa813953"


@pytest.mark.parametrize("token", ["deadbeef", "signkey-prod-deadbeef", HASH, f"signkey-branch-{HASH}"])
@pytest.mark.parametrize("keys", [["deadbeef"], [OTHER], [KEY, OTHER], ["", OTHER]])
def test_every_form_of_a_configured_key_is_accepted(token: str, keys: list[str]) -> None:
    assert bearer_matches(token, keys)


@pytest.mark.parametrize(
    "token", ["", "undefined", "deadbeee", HASH.upper(), "signkey--deadbeef", "é", "\ud800"]
)
def test_other_tokens_are_refused(token: str) -> None:
    assert not bearer_matches(token, [OTHER])


@pytest.mark.parametrize("keys", [[], [""]])
def test_without_a_configured_key_everything_is_accepted(keys: list[str]) -> None:
    assert bearer_matches("", keys)
