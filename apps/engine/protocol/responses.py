"""What an SDK's answer to a call request means (spec 01, chapter 7; spec 04, chapter 5)."""

from collections.abc import Mapping

import msgspec

from apps.engine.protocol import errors, raw_json
from apps.engine.protocol.opcodes import MAX_OPS, MalformedOps, Op, TooManyOps, parse_ops
from apps.engine.protocol.retry import retry_after_ms

SDK_HEADER = "x-inngest-sdk"
NO_RETRY_HEADER = "x-inngest-no-retry"
VERSION_HEADER = "x-inngest-req-version"


class Completed(msgspec.Struct):
    """The function returned this raw JSON; None when the body was empty (7.2)."""

    result: bytes | None
    req_version: int | None = None


class Ops(msgspec.Struct):
    """A 206. `retry_at_ms` and `no_retry` count for a StepError among the ops."""

    ops: list[Op]
    req_version: int | None = None
    no_retry: bool = False
    retry_at_ms: int | None = None


class Failed(msgspec.Struct):
    """A failed attempt. `error` is the error object, `output` the body as JSON (empty when none).

    `kind` is function_error, not_sdk, server_fatal, stream, malformed_ops, too_many_ops, or that of
    a TransportFailed (output_too_large, http_unreachable, timeout).
    """

    error: bytes
    output: bytes = b""
    no_retry: bool = False
    retry_at_ms: int | None = None
    kind: str = "function_error"


Answer = Completed | Ops | Failed


class _Envelope(msgspec.Struct, rename={"retry_at": "retryAt", "no_retry": "noRetry"}):
    """The document at the end of a 201 stream: the TypeScript and Python form, and Go's."""

    status: int = 0
    headers: dict[str, str | int | float | bool | list[str] | None] | None = None
    body: msgspec.Raw = msgspec.Raw(b"")
    error: str | None = None
    version: int | None = None
    retry_at: str | int | None = None
    no_retry: bool | None = None


_envelope = msgspec.json.Decoder(_Envelope)


def classify(status: int, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
    """Sort an answer into result, ops or failure. `headers` have lower-case names."""
    if status == 201:
        return _unwrap_stream(headers, body, now_ms)
    return _classify(status, headers, body, now_ms)


def failed_call(kind: str, message: str, detail: str = "") -> Failed:
    """The failed attempt of a call that got no answer at all, or one too large to read (02 6.8)."""
    return Failed(errors.transport_error(kind, message, detail), kind=kind)


def _classify(status: int, headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
    if SDK_HEADER not in headers:
        return _not_from_sdk(status, headers, body)
    if status == 206:
        return _ops(headers, body, now_ms)
    if 200 <= status < 300:
        return Completed(_result(body), _req_version(headers))
    no_retry = _no_retry(headers)
    error = errors.function_error(status, body, no_retry)
    return Failed(error, _output(body), no_retry, _retry_at_ms(headers, now_ms))


def _ops(headers: Mapping[str, str], body: bytes, now_ms: int) -> Ops | Failed:
    try:
        ops = parse_ops(raw_json.undo_double_encoding(body))
    except MalformedOps as error:
        return Failed(errors.error_object(error=str(error), message=str(error)), kind="malformed_ops")
    except TooManyOps:
        return Failed(errors.steps_overflowed(MAX_OPS), no_retry=True, kind="too_many_ops")
    return Ops(ops, _req_version(headers), _no_retry(headers), _retry_at_ms(headers, now_ms))


def _result(body: bytes) -> bytes | None:
    return raw_json.undo_double_encoding(raw_json.as_json(body)) if body else None


def _output(body: bytes) -> bytes:
    return raw_json.as_json(body) if body else b""


def _not_from_sdk(status: int, headers: Mapping[str, str], body: bytes) -> Failed:
    if 200 <= status < 300:
        return Failed(errors.not_sdk(body), _output(body), kind="not_sdk")
    error = errors.server_fatal(status, headers.get("content-type", ""), body)
    return Failed(error, _output(body), kind="server_fatal")


def _no_retry(headers: Mapping[str, str]) -> bool:
    return headers.get(NO_RETRY_HEADER) == "true"


def _req_version(headers: Mapping[str, str]) -> int | None:
    text = headers.get(VERSION_HEADER, "")
    return int(text) if len(text) == 1 and text in "0123456789" else None


def _retry_at_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    value = headers.get("retry-after")
    return retry_after_ms(value, now_ms) if value else None


def _unwrap_stream(headers: Mapping[str, str], body: bytes, now_ms: int) -> Answer:
    document = raw_json.checked(body)
    if document is None:
        return _stream_failed("error parsing stream: not one JSON document", body)
    try:
        envelope = _envelope.decode(document)
    except msgspec.ValidationError as error:
        return _stream_failed(f"error parsing stream: {error}", body)
    if envelope.error:
        return _stream_failed(envelope.error, body)
    if not 100 <= envelope.status <= 599 or envelope.status == 201:
        return _stream_failed(f"error parsing stream: invalid status {envelope.status}", body)
    inner = bytes(envelope.body)
    text = raw_json.string(inner) if inner.startswith(b'"') else None
    inner_body = inner if text is None else text.encode()
    return _classify(envelope.status, _overlaid(headers, envelope), inner_body, now_ms)


def _stream_failed(message: str, body: bytes) -> Failed:
    return Failed(errors.error_object(error=message, message=message), _output(body.strip()), kind="stream")


def _overlaid(outer: Mapping[str, str], envelope: _Envelope) -> dict[str, str]:
    headers = dict(outer)
    if envelope.version is not None:
        headers.setdefault(VERSION_HEADER, str(envelope.version))
    if envelope.retry_at is not None:
        headers["retry-after"] = str(envelope.retry_at)
    if envelope.no_retry is not None:
        headers[NO_RETRY_HEADER] = "true" if envelope.no_retry else "false"
    for name, value in (envelope.headers or {}).items():
        headers[name.lower()] = _header_text(value)
    return headers


def _header_text(value: str | int | float | bool | list[str] | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None else str(value)
