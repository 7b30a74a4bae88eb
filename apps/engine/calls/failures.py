"""Why an outbound request got no usable answer, and how client exceptions map to that."""

import aiohttp

from apps.engine.calls.addresses import AddressBlocked
from apps.engine.protocol import errors

BLOCKED = "address_blocked"
INCOMPLETE = "incomplete_response"
INVALID_URL = "invalid_url"
TIMEOUT = "timeout"
TOO_LARGE = "output_too_large"
TOO_MANY_REDIRECTS = "too_many_redirects"
UNREACHABLE = "http_unreachable"

_MESSAGES = {
    BLOCKED: "The SDK URL is not allowed",
    INCOMPLETE: "The SDK's response ended early",
    INVALID_URL: "The SDK URL is invalid",
    TIMEOUT: "The SDK did not answer in time",
    TOO_LARGE: errors.OUTPUT_TOO_LARGE,
    TOO_MANY_REDIRECTS: "The SDK URL redirects too often",
    UNREACHABLE: errors.UNREACHABLE,
}


class TransportFailed(Exception):
    """No usable answer. `kind` is a constant of this module, `message` the text for a failed call of
    an app (spec 02, 6.8), `detail` the cause, without secrets of the URL.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.message = _MESSAGES[kind]
        self.detail = detail


class BodyStalled(TimeoutError):
    """A body that had begun did not go on."""


# What the HTTP client raises for requests that fail; anything else is a fault of ours.
CLIENT_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


def from_exception(error: BaseException) -> TransportFailed:
    """The TransportFailed for one of CLIENT_ERRORS."""
    blocked = _blocked(error)
    if blocked is not None:
        return TransportFailed(BLOCKED, blocked.rule)
    if isinstance(error, ValueError):
        return TransportFailed(INVALID_URL, "the URL or a header is malformed")
    if isinstance(error, TimeoutError):
        return TransportFailed(TIMEOUT, _timeout_detail(error))
    if isinstance(error, aiohttp.ClientPayloadError):
        return TransportFailed(INCOMPLETE, str(error))
    # The text of a ClientResponseError quotes the whole URL, which may hold a key.
    detail = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return TransportFailed(UNREACHABLE, detail or type(error).__name__)


def _timeout_detail(error: TimeoutError) -> str:
    if isinstance(error, BodyStalled):
        return str(error)
    return "connecting timed out" if isinstance(error, aiohttp.ConnectionTimeoutError) else "timed out"


def _blocked(error: BaseException) -> AddressBlocked | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, AddressBlocked):
        cause = getattr(cause, "os_error", None) or cause.__cause__
    return cause
