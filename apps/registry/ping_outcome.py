"""What the answer to a PUT says about an app (spec 01 4.2). Pure code."""

from collections.abc import Mapping
from typing import Final

import msgspec
import orjson

UNREACHABLE: Final = "unreachable"
UNSUPPORTED_PROTOCOL: Final = "unsupported_protocol"
INVALID_SIGNING_KEY: Final = "invalid_signing_key"
NOT_SDK: Final = "not_sdk"
UNINITIALIZED: Final = "app_uninitialized"

_STATUS_CODES: Final = {
    401: "unauthorized",
    403: "forbidden",
    404: "url_not_found",
    500: "internal_server_error",
}
_PHRASES: Final = (
    ("signing key is invalid", INVALID_SIGNING_KEY),
    ("no functions registered", "no_functions"),
    ("function is invalid", "invalid_function"),
)
_MAX_TEXT: Final = 500


class PingOutcome(msgspec.Struct, frozen=True):
    """`code` is a sync error code (spec 03 6.10) or the app's own text; empty when healthy."""

    code: str = ""
    detail: str = ""

    @property
    def is_healthy(self) -> bool:
        return not self.code


HEALTHY: Final = PingOutcome()


def of_answer(status: int, headers: Mapping[str, str], body: bytes) -> PingOutcome:
    """The outcome of an answer; `headers` have lower-case names."""
    text = _message(body) or f"The app answered with status {status}"
    if 200 <= status < 300:
        return (
            HEALTHY if "x-inngest-sdk" in headers else PingOutcome(NOT_SDK, "The URL is not an Inngest app")
        )
    if status in _STATUS_CODES:
        return PingOutcome(_STATUS_CODES[status], text)
    return PingOutcome(_code_of_text(text), text)


def unreachable(detail: str) -> PingOutcome:
    return PingOutcome(UNREACHABLE, _clean(detail))


def _code_of_text(text: str) -> str:
    lower = text.lower()
    return next((code for phrase, code in _PHRASES if phrase in lower), text)


def _message(body: bytes) -> str:
    """The `message` or `error` of a JSON answer, else the beginning of the text; spec 01 4.3."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _clean(body[: 4 * _MAX_TEXT].decode(errors="replace"))
    fields = value if isinstance(value, dict) else {}
    texts = [fields.get("message"), fields.get("error")]
    return next((_clean(text) for text in texts if isinstance(text, str) and text), "")


def _clean(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()[:_MAX_TEXT]
