"""Checking one delivery against the scheme of its webhook."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from apps.webhooks.choices import Scheme
from apps.webhooks.verification.config import Verification
from apps.webhooks.verification.signatures import base64_bytes, base64_hmac, hex_hmac, matches

MAX_SIGNATURES: Final = 16
_MAX_HEADER = 4096
_MIN_MILLISECONDS = 10**11


class Verdict(NamedTuple):
    """`reason` is empty where the delivery is verified. `replay_key` is set where the scheme signs a time:
    the same one within the tolerance is the same delivery again."""

    reason: str = ""
    replay_key: str = ""

    @property
    def is_verified(self) -> bool:
        return not self.reason


class _Delivery(NamedTuple):
    config: Verification
    headers: Mapping[str, str]
    body: bytes
    now: float

    def header(self, name: str) -> str:
        value = self.headers.get(name.lower(), "")
        if not value:
            raise _Failed(f"the header {name} is missing")
        if len(value) > _MAX_HEADER:
            raise _Failed(f"the header {name} is too long")
        return value

    @property
    def secret(self) -> bytes:
        return self.config.secret.encode()


class _Failed(Exception):
    """The delivery is not verified; the message says why, and holds nothing of the caller's or the secret."""


NOT_MATCHING: Final = "the signature does not match"
TOO_OLD: Final = "the time of the signature is outside of the tolerance"


def verify(config: Verification, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """`headers` by lower-case names, values of one name joined; `now` in Unix seconds. Never raises."""
    check = _CHECKS.get(config.scheme)
    if check is None:
        return Verdict()
    if not config.secret:
        return Verdict("the webhook has no secret to verify with")
    try:
        signed = check(_Delivery(config, headers, body, now))
    except _Failed as failed:
        return Verdict(str(failed))
    return Verdict(replay_key=hashlib.sha256(signed.encode()).hexdigest() if signed else "")


def _stripe(delivery: _Delivery) -> str:
    """`Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]` over `<t>.<body>`."""
    header = delivery.header("Stripe-Signature")
    pairs = [part.strip().partition("=")[::2] for part in header.split(",")]
    timestamp = next((value for name, value in pairs if name == "t"), "")
    presented = [value for name, value in pairs if name == "v1"]
    expected = hex_hmac(delivery.secret, timestamp.encode() + b"." + delivery.body)
    return _timed(delivery, timestamp, expected, presented)


def _svix(delivery: _Delivery) -> str:
    """`svix-signature: v1,<base64> …` over `<id>.<timestamp>.<body>`, and its twin of Standard Webhooks."""
    family = "svix" if "svix-signature" in delivery.headers else "webhook"
    message_id = delivery.header(f"{family}-id")
    timestamp = delivery.header(f"{family}-timestamp")
    key = base64_bytes(delivery.config.secret.removeprefix("whsec_"))
    if key is None:
        raise _Failed("the secret of the webhook is not in base64")
    signed = f"{message_id}.{timestamp}.".encode(errors="replace") + delivery.body
    signatures = delivery.header(f"{family}-signature").split(" ")
    presented = [one.removeprefix("v1,") for one in signatures if one.startswith("v1,")]
    return _timed(delivery, timestamp, base64_hmac(key, signed), presented)


def _slack(delivery: _Delivery) -> str:
    """`X-Slack-Signature: v0=<hex>` over `v0:<timestamp>:<body>`."""
    timestamp = delivery.header("X-Slack-Request-Timestamp")
    signed = b"v0:" + timestamp.encode(errors="replace") + b":" + delivery.body
    presented = delivery.header("X-Slack-Signature")
    return _timed(delivery, timestamp, f"v0={hex_hmac(delivery.secret, signed)}", [presented])


def _github(delivery: _Delivery) -> str:
    """`X-Hub-Signature-256: sha256=<hex>` over the body."""
    presented = delivery.header("X-Hub-Signature-256")
    return _untimed(f"sha256={hex_hmac(delivery.secret, delivery.body)}", presented)


def _shopify(delivery: _Delivery) -> str:
    """`X-Shopify-Hmac-Sha256: <base64>` over the body."""
    return _untimed(base64_hmac(delivery.secret, delivery.body), delivery.header("X-Shopify-Hmac-Sha256"))


def _hmac(delivery: _Delivery) -> str:
    options = delivery.config.options
    digest = hex_hmac if options.encoding == "hex" else base64_hmac
    presented = delivery.header(options.header)
    if options.encoding == "hex":
        presented = _lower_after(options.prefix, presented)
    if not options.timestamp_header:
        return _untimed(options.prefix + digest(delivery.secret, delivery.body, options.algorithm), presented)
    timestamp = delivery.header(options.timestamp_header)
    signed = _signed(options.signed, timestamp, delivery.body)
    expected = options.prefix + digest(delivery.secret, signed, options.algorithm)
    once = _timed(delivery, timestamp, expected, [presented])
    # Under a time that is not signed, the same body may rightly come again.
    return "" if options.signed == "body" else once


def _signed(layout: str, timestamp: str, body: bytes) -> bytes:
    if layout == "body":
        return body
    separator = layout.removeprefix("timestamp").removesuffix("body")
    return timestamp.encode(errors="replace") + separator.encode() + body


def _lower_after(prefix: str, presented: str) -> str:
    """Producers write hex digits either way."""
    return prefix + presented.removeprefix(prefix).lower() if presented.startswith(prefix) else presented


def _basic(delivery: _Delivery) -> str:
    kind, _, credentials = delivery.header("Authorization").partition(" ")
    decoded = base64_bytes(credentials.strip()) if kind.lower() == "basic" else None
    given = decoded.decode(errors="replace") if decoded is not None else ""
    if not matches(f"{delivery.config.options.username}:{delivery.config.secret}", [given]):
        raise _Failed("the user name or password is wrong")
    return ""


def _header(delivery: _Delivery) -> str:
    if not matches(delivery.config.secret, [delivery.header(delivery.config.options.header)]):
        raise _Failed("the secret in the header is wrong")
    return ""


def _untimed(expected: str, presented: str) -> str:
    if not matches(expected, [presented]):
        raise _Failed(NOT_MATCHING)
    return ""


def _timed(delivery: _Delivery, timestamp: str, expected: str, presented: list[str]) -> str:
    """What makes this delivery one of a kind. The time is looked at last: it says nothing if not signed."""
    if not presented or not matches(expected, presented[:MAX_SIGNATURES]):
        raise _Failed(NOT_MATCHING)
    if abs(delivery.now - _seconds(timestamp)) > delivery.config.options.tolerance_seconds:
        raise _Failed(TOO_OLD)
    return f"{timestamp}|{expected}"


def _seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise _Failed("the time of the signature is not a number")
    value = int(text)
    return value / 1000 if value >= _MIN_MILLISECONDS else value


_CHECKS: Final[Mapping[Scheme, Callable[[_Delivery], str]]] = {
    Scheme.STRIPE: _stripe,
    Scheme.GITHUB: _github,
    Scheme.SVIX: _svix,
    Scheme.SLACK: _slack,
    Scheme.SHOPIFY: _shopify,
    Scheme.HMAC: _hmac,
    Scheme.BASIC: _basic,
    Scheme.HEADER: _header,
}
