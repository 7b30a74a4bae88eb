"""Signatures: vectors of the producers' documentation, and what must not pass."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.webhooks.choices import Scheme
from apps.webhooks.verification.config import ConfigInvalid, Options, Verification, options_from
from apps.webhooks.verification.verify import NOT_MATCHING, TOO_OLD, Verdict, verify

# https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# https://docs.svix.com/receiving/verifying-payloads/how-manual
SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SVIX_BODY = b'{"test": 2432232314}'
SVIX_TIME = 1614265330
SVIX_HEADERS = {
    "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "svix-timestamp": str(SVIX_TIME),
    "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
# https://docs.slack.dev/authentication/verifying-requests-from-slack
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
SLACK_TIME = 1531420618
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
# Stripe and Shopify document the arithmetic without a vector; these were computed with openssl.
STRIPE_SECRET = "whsec_stepwell_test_secret"
STRIPE_TIME = 1492774577
STRIPE_BODY = b'{"id":"evt_1","object":"event"}'
SHOPIFY_SECRET = "hush"
SHOPIFY_BODY = b'{"id":820982911946154508}'


def checked(
    scheme: Scheme,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secret: str,
    now: float = 0,
    options: Options | None = None,
) -> Verdict:
    return verify(Verification(scheme, options or Options(), secret), headers, body, now)


def stripe_header(time: int = STRIPE_TIME, body: bytes = STRIPE_BODY, secret: str = STRIPE_SECRET) -> str:
    signature = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={time},v1={signature},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"


def test_github() -> None:
    headers = {"x-hub-signature-256": GITHUB_SIGNATURE}
    verdict = checked(Scheme.GITHUB, headers, GITHUB_BODY, secret=GITHUB_SECRET)
    assert verdict == Verdict()
    assert checked(Scheme.GITHUB, headers, GITHUB_BODY + b" ", secret=GITHUB_SECRET).reason == NOT_MATCHING
    assert checked(Scheme.GITHUB, headers, GITHUB_BODY, secret="other").reason == NOT_MATCHING


@pytest.mark.parametrize("family", ["svix", "webhook"])
def test_svix_and_standard_webhooks(family: str) -> None:
    headers = {name.replace("svix", family): value for name, value in SVIX_HEADERS.items()}
    verdict = checked(Scheme.SVIX, headers, SVIX_BODY, secret=SVIX_SECRET, now=SVIX_TIME + 299)
    assert verdict.is_verified
    assert len(verdict.replay_key) == 64


def test_svix_with_several_signatures() -> None:
    several = {**SVIX_HEADERS, "svix-signature": f"v1,bm90IGl0 v2,x {SVIX_HEADERS['svix-signature']}"}
    assert checked(Scheme.SVIX, several, SVIX_BODY, secret=SVIX_SECRET, now=SVIX_TIME).is_verified
    none = {**SVIX_HEADERS, "svix-signature": "v1a,x"}
    assert checked(Scheme.SVIX, none, SVIX_BODY, secret=SVIX_SECRET, now=SVIX_TIME).reason == NOT_MATCHING


@pytest.mark.parametrize("name", ["svix-id", "svix-timestamp"])
def test_svix_signs_its_id_and_time(name: str) -> None:
    other = {**SVIX_HEADERS, name: f"{SVIX_TIME + 1}"}
    assert checked(Scheme.SVIX, other, SVIX_BODY, secret=SVIX_SECRET, now=SVIX_TIME).reason == NOT_MATCHING


def test_slack() -> None:
    headers = {"x-slack-signature": SLACK_SIGNATURE, "x-slack-request-timestamp": str(SLACK_TIME)}
    assert checked(Scheme.SLACK, headers, SLACK_BODY, secret=SLACK_SECRET, now=SLACK_TIME).is_verified
    late = checked(Scheme.SLACK, headers, SLACK_BODY, secret=SLACK_SECRET, now=SLACK_TIME + 301)
    assert late.reason == TOO_OLD


def test_stripe() -> None:
    headers = {"stripe-signature": stripe_header()}
    found = checked(Scheme.STRIPE, headers, STRIPE_BODY, secret=STRIPE_SECRET, now=STRIPE_TIME + 300)
    assert found.is_verified
    assert stripe_header().split(",")[1] == (
        "v1=c7a78ac4bc154477d1b20c47f4945ad54b996310af56d2e57d90c25995cad376"
    )


def test_stripe_while_its_secret_is_rolled() -> None:
    both = stripe_header(secret="whsec_old").replace(",v0", "," + stripe_header().split(",")[1] + ",v0")
    found = checked(
        Scheme.STRIPE, {"stripe-signature": both}, STRIPE_BODY, secret=STRIPE_SECRET, now=STRIPE_TIME
    )
    assert found.is_verified


@pytest.mark.parametrize("now", [STRIPE_TIME - 301, STRIPE_TIME + 301])
def test_the_time_is_tolerated_on_both_sides(now: int) -> None:
    headers = {"stripe-signature": stripe_header()}
    assert checked(Scheme.STRIPE, headers, STRIPE_BODY, secret=STRIPE_SECRET, now=now).reason == TOO_OLD
    wide = Options(tolerance_seconds=302)
    assert checked(
        Scheme.STRIPE, headers, STRIPE_BODY, secret=STRIPE_SECRET, now=now, options=wide
    ).is_verified


@pytest.mark.parametrize(
    "header",
    ["", "t=,v1=", "v1=abc", f"t={STRIPE_TIME}", f"t={STRIPE_TIME},v0=abc", "t", ",,,", "t=x,v1=" + "0" * 64],
)
def test_stripe_headers_that_are_none(header: str) -> None:
    headers = {"stripe-signature": header} if header else {}
    assert not checked(Scheme.STRIPE, headers, STRIPE_BODY, secret=STRIPE_SECRET, now=STRIPE_TIME).is_verified


def test_the_old_scheme_of_stripe_does_not_count() -> None:
    headers = {"stripe-signature": stripe_header().replace("v1=", "v0=")}
    assert not checked(Scheme.STRIPE, headers, STRIPE_BODY, secret=STRIPE_SECRET, now=STRIPE_TIME).is_verified


def test_shopify() -> None:
    signature = base64.b64encode(hmac.digest(SHOPIFY_SECRET.encode(), SHOPIFY_BODY, "sha256")).decode()
    headers = {"x-shopify-hmac-sha256": signature}
    assert signature == "qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I="
    assert checked(Scheme.SHOPIFY, headers, SHOPIFY_BODY, secret=SHOPIFY_SECRET).is_verified
    assert not checked(Scheme.SHOPIFY, headers, b"{}", secret=SHOPIFY_SECRET).is_verified


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sig="])
def test_an_hmac_of_ones_own(algorithm: str, encoding: str, prefix: str) -> None:
    digest = hmac.digest(b"key", b"body", algorithm)
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    values = {"header": "X-Sig", "algorithm": algorithm, "encoding": encoding, "prefix": prefix}
    options = options_from(Scheme.HMAC, values)
    assert checked(Scheme.HMAC, {"x-sig": prefix + text}, b"body", secret="key", options=options).is_verified
    assert not checked(Scheme.HMAC, {"x-sig": prefix + text}, b"x", secret="key", options=options).is_verified
    assert not checked(
        Scheme.HMAC, {"x-sig": "x" + prefix + text}, b"body", secret="key", options=options
    ).is_verified


def test_hex_digits_in_capitals() -> None:
    options = options_from(Scheme.HMAC, {"header": "x-sig"})
    text = hmac.digest(b"key", b"body", "sha256").hex().upper()
    assert checked(Scheme.HMAC, {"x-sig": text}, b"body", secret="key", options=options).is_verified


@pytest.mark.parametrize(
    ("layout", "signed"),
    [
        ("timestamp.body", b"1700000000.body"),
        ("timestamp:body", b"1700000000:body"),
        ("timestampbody", b"1700000000body"),
    ],
)
def test_an_hmac_with_a_signed_time(layout: str, signed: bytes) -> None:
    values = {"header": "x-sig", "timestamp_header": "x-time", "signed": layout}
    options = options_from(Scheme.HMAC, values)
    headers = {"x-sig": hmac.digest(b"key", signed, "sha256").hex(), "x-time": "1700000000"}
    found = checked(Scheme.HMAC, headers, b"body", secret="key", now=1700000001, options=options)
    assert (found.is_verified, bool(found.replay_key)) == (True, True)
    late = checked(Scheme.HMAC, headers, b"body", secret="key", now=1700000999, options=options)
    assert late.reason == TOO_OLD
    moved = {**headers, "x-time": "1700000999"}
    assert not checked(Scheme.HMAC, moved, b"body", secret="key", now=1700000999, options=options).is_verified


def test_a_time_that_is_not_signed_makes_nothing_unique() -> None:
    options = options_from(Scheme.HMAC, {"header": "x-sig", "timestamp_header": "x-time"})
    headers = {"x-sig": hmac.digest(b"key", b"body", "sha256").hex(), "x-time": "1700000000000"}
    found = checked(Scheme.HMAC, headers, b"body", secret="key", now=1700000001, options=options)
    assert found == Verdict()


def test_basic_authentication() -> None:
    options = options_from(Scheme.BASIC, {"username": "ada"})
    for given_text, passes in [
        ("ada:se:cret", True),
        ("ada:other", False),
        ("eve:se:cret", False),
        ("", False),
    ]:
        headers = {"authorization": f"Basic {base64.b64encode(given_text.encode()).decode()}"}
        found = checked(Scheme.BASIC, headers, b"", secret="se:cret", options=options)
        assert found.is_verified is passes, given_text
    assert not checked(
        Scheme.BASIC, {"authorization": "Bearer se:cret"}, b"", secret="se:cret", options=options
    ).is_verified


def test_a_secret_in_a_header() -> None:
    options = options_from(Scheme.HEADER, {"header": "X-Secret"})
    assert checked(Scheme.HEADER, {"x-secret": "s"}, b"", secret="s", options=options).is_verified
    for headers in ({"x-secret": "S"}, {"x-secret": "s "}, {}):
        assert not checked(Scheme.HEADER, headers, b"", secret="s", options=options).is_verified


@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme != Scheme.NONE])
def test_without_a_secret_nothing_passes(scheme: Scheme) -> None:
    signature = "sha256=" + hmac.digest(b"", GITHUB_BODY, "sha256").hex()
    headers = {"x-hub-signature-256": signature}
    assert (
        checked(scheme, headers, GITHUB_BODY, secret="").reason == "the webhook has no secret to verify with"
    )


def test_without_a_scheme_nothing_is_checked() -> None:
    assert checked(Scheme.NONE, {}, b"", secret="") == Verdict()


@pytest.mark.parametrize(
    ("scheme", "values", "error"),
    [
        (Scheme.STRIPE, {"header": "x"}, "has no option header"),
        (Scheme.STRIPE, {"tolerance_seconds": 0}, "the tolerance is between"),
        (Scheme.STRIPE, {"tolerance_seconds": 10**6}, "the tolerance is between"),
        (Scheme.STRIPE, {"tolerance_seconds": "5"}, "Expected `int`"),
        (Scheme.NONE, {"header": "x"}, "has no option header"),
        (Scheme.HMAC, {}, "the name of a header is needed"),
        (Scheme.HMAC, {"header": "x y"}, "is no name of a header"),
        (Scheme.HMAC, {"header": "x", "algorithm": "md5"}, "Invalid enum value"),
        (Scheme.HMAC, {"header": "x", "signed": "timestamp.body"}, "holds a time"),
        (Scheme.HMAC, {"header": "x", "unknown": 1}, "has no option unknown"),
        (Scheme.HEADER, {}, "the name of a header is needed"),
        (Scheme.BASIC, {}, "a user name"),
        (Scheme.BASIC, {"username": "a:b"}, "a user name"),
    ],
)
def test_options_are_checked(scheme: Scheme, values: dict[str, object], error: str) -> None:
    with pytest.raises(ConfigInvalid, match=error):
        options_from(scheme, values)


def test_a_verification_shows_no_secret() -> None:
    assert "top" not in repr(Verification(Scheme.STRIPE, Options(), "top"))


HEADER_NAMES = st.sampled_from(
    [
        "stripe-signature",
        "x-hub-signature-256",
        "svix-id",
        "svix-timestamp",
        "svix-signature",
        "authorization",
        "x-slack-signature",
        "x-slack-request-timestamp",
        "x-shopify-hmac-sha256",
        "x-sig",
        "x-time",
    ]
)
VALUES = st.one_of(
    st.text(alphabet=st.characters(max_codepoint=255), max_size=40),
    st.sampled_from(
        ["t=1,v1=2", "v1,", "Basic !!", "Basic ", "9" * 30, "t=" + "9" * 30 + ",v1=x", "sha256="]
    ),
)


@given(st.sampled_from(list(Scheme)), st.dictionaries(HEADER_NAMES, VALUES), st.binary(max_size=50))
def test_no_delivery_raises_or_passes(scheme: Scheme, headers: dict[str, str], body: bytes) -> None:
    options = Options(header="x-sig", timestamp_header="x-time", username="ada")
    verdict = checked(scheme, headers, body, secret="unguessable", now=1.0, options=options)
    assert verdict.is_verified is (scheme == Scheme.NONE)
