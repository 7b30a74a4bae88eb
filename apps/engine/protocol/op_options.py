"""The options of each opcode, read and checked (spec 01, chapter 11; spec 02, 6.9).

Every reader raises InvalidOptions for what the SDK should not have sent: the run fails at once with
that name and message.
"""

from typing import NamedTuple

import msgspec

from apps.engine.protocol import raw_json
from apps.engine.protocol.dates import parse_due_ms
from apps.engine.protocol.durations import DurationError
from apps.engine.protocol.opcodes import Op

DAY_MS = 86_400_000
MAX_AHEAD_MS = 366 * DAY_MS
DEFAULT_TIMEOUT_MS = 365 * DAY_MS

_SLEEP_TOO_LONG = 'The sleep "{}" ends more than one year in the future; sleeps may last at most one year.'
_TIMEOUT_TOO_LONG = (
    'The {} timeout "{}" expires more than one year in the future; timeouts may last at most one year.'
)


class InvalidOptions(Exception):
    """The run fails at once with an error of this `name` and `message`."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


class WaitOptions(NamedTuple):
    event: str
    expression: str
    expires_ms: int


class SignalOptions(NamedTuple):
    """`conflict` is fail or replace."""

    signal: str
    expires_ms: int
    conflict: str


class InvokeOptions(NamedTuple):
    """`function_id` is a slug or UUID, empty when missing; `payload` holds the members that are not null."""

    function_id: str
    payload: dict[str, msgspec.Raw]
    expires_ms: int


class DeferOptions(NamedTuple):
    """`input` is a raw JSON object; `meta` is empty when it was not sent."""

    function_slug: str
    input: bytes
    meta: bytes


def sleep_due_ms(op: Op, now_ms: int) -> int:
    """When a Sleep ends; times in the past become `now_ms` (11.1)."""
    text = op.text_option("duration") or op.name
    due_ms = _due_ms(op, text, now_ms)
    if due_ms - now_ms > MAX_AHEAD_MS:
        raise InvalidOptions("InngestErrTimeoutTooLong", _SLEEP_TOO_LONG.format(text))
    return max(due_ms, now_ms)


def wait_options(op: Op, now_ms: int) -> WaitOptions:
    """The options of a WaitForEvent; without a timeout it expires at once (11.2)."""
    event = op.text_option("event") or op.name
    if not event:
        raise invalid_options(op, "event name is missing")
    expires_ms = _expires_ms(op, "wait-for-event", now_ms, default_ms=0)
    return WaitOptions(event, op.text_option("if"), expires_ms)


def signal_options(op: Op, now_ms: int) -> SignalOptions:
    """The options of a WaitForSignal (11.4)."""
    signal = op.text_option("signal") or op.name
    if not signal:
        raise invalid_options(op, "signal name is missing")
    conflict = op.text_option("conflict") or "fail"
    if conflict not in ("fail", "replace"):
        raise invalid_options(op, f'unknown conflict mode "{conflict}"')
    return SignalOptions(signal, _expires_ms(op, "signal", now_ms, default_ms=DEFAULT_TIMEOUT_MS), conflict)


def invoke_options(op: Op, now_ms: int) -> InvokeOptions:
    """The options of an InvokeFunction; a missing `function_id` is the caller's to answer (11.3)."""
    raw = op.raw_option("payload")
    payload = raw_json.members(raw) if raw else {}
    if payload is None:
        raise invalid_options(op, "payload is not an object")
    sent = {name: value for name, value in payload.items() if bytes(value) != b"null"}
    expires_ms = _expires_ms(op, "invoke", now_ms, default_ms=DEFAULT_TIMEOUT_MS)
    return InvokeOptions(op.text_option("function_id"), sent, expires_ms)


def defer_options(op: Op) -> DeferOptions | None:
    """The options of a DeferAdd, or None when unusable: a defer never fails its run (04, 7.2)."""
    slug = op.text_option("fn_slug")
    deferred = op.raw_option("input") or b"{}"
    if not slug or not deferred.startswith(b"{"):
        return None
    return DeferOptions(slug, deferred, op.raw_option("meta"))


def defer_abort_target(op: Op) -> str:
    """The hashed id of the DeferAdd that a DeferAbort takes back."""
    return op.text_option("target_hashed_id")


def _expires_ms(op: Op, kind: str, now_ms: int, *, default_ms: int) -> int:
    text = op.text_option("timeout")
    if not text:
        if op.raw_option("timeout") not in (b"", b'""'):
            raise invalid_options(op, "timeout is not a string")
        return now_ms + default_ms
    expires_ms = _due_ms(op, text, now_ms)
    if expires_ms - now_ms > MAX_AHEAD_MS:
        raise InvalidOptions("InngestErrTimeoutTooLong", _TIMEOUT_TOO_LONG.format(kind, text))
    return max(expires_ms, now_ms)


def _due_ms(op: Op, text: str, now_ms: int) -> int:
    try:
        return parse_due_ms(text, now_ms)
    except DurationError:
        kind = "RFC 3339 timestamp" if "T" in text else "duration"
        raise invalid_options(op, f'invalid {kind} "{text}"') from None


def invalid_options(op: Op, reason: str) -> InvalidOptions:
    """The error for options that the SDK should not have sent (02 6.9)."""
    step = op.display_name or op.id
    return InvalidOptions("InngestErrInvalidOpcode", f'invalid options for step "{step}": {reason}')
