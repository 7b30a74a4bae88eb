"""Error objects as raw JSON with sorted members: those that the engine makes, and how it reads the
SDKs' (spec 01, 7.3 and 7.6; spec 02, 6.8 and 6.9).
"""

import msgspec

from apps.engine.protocol import raw_json

STATE_OVERFLOWED = "InngestErrStateOverflowed"
STEPS_OVERFLOWED = "InngestErrFunctionOverflowed"
MAX_QUOTED_BODY = 8192

NOT_SDK = "The response did not come from an Inngest SDK"
UNREACHABLE = "Unable to reach SDK URL"
OUTPUT_TOO_LARGE = "Your function's response body exceeds the maximum size limit"


def error_object(
    *, error: str = "", name: str = "Error", message: str = "", stack: str = "", cause: bytes = b""
) -> bytes:
    """`{cause?, error?, message, name, stack?}`; `cause` is raw JSON."""
    parts = []
    if cause:
        parts.append(b'"cause":' + cause)
    if error:
        parts.append(b'"error":' + raw_json.quote(error))
    parts.append(b'"message":' + raw_json.quote(message))
    parts.append(b'"name":' + raw_json.quote(name))
    if stack:
        parts.append(b'"stack":' + raw_json.quote(stack))
    return b"{" + b",".join(parts) + b"}"


def engine_error(name: str, message: str, stack: str = "") -> bytes:
    """An error that the engine raises itself: `error` repeats the name and the message (02 6.9)."""
    return error_object(error=f"{name}: {message}", name=name, message=message, stack=stack)


def steps_overflowed(limit: int) -> bytes:
    return engine_error(STEPS_OVERFLOWED, f"The function run exceeded the step limit of {limit} steps.")


def state_overflowed(limit_bytes: int) -> bytes:
    message = f"The function run exceeded the state size limit of {limit_bytes} bytes."
    return engine_error(STATE_OVERFLOWED, message)


def no_progress(answers: int) -> bytes:
    """The app replays without ever getting further (04 4.8)."""
    message = (
        f"The app answered {answers} times in a row without a new step. An SDK that cannot fetch the state "
        "of its run does so once that state no longer fits into a request (4 MiB)."
    )
    return engine_error("NoProgress", message)


def signal_conflict() -> bytes:
    return engine_error("Error", "Signal conflict; signal wait already exists for another run")


def invalid_expression(message: str, stack: str = "") -> bytes:
    return engine_error("InvalidExpression", message, stack)


def wrapped_output(error: bytes) -> bytes:
    """The output of a run that the engine itself failed (02 6.9)."""
    return b'{"error":' + error + b"}"


def function_error(status: int, body: bytes, no_retry: bool) -> bytes:
    """The error object of an SDK's error response (7.3)."""
    fallback = f"invalid status code: {status}"
    json_body = raw_json.checked(body)
    outer = (raw_json.members(json_body) if json_body else None) or {}
    records = (outer, _inner_record(outer))
    text = body.decode(errors="replace") if body and json_body is None else ""
    return error_object(
        error="NonRetriableError" if no_retry else _text(outer, "error") or fallback,
        name=_first_text(records, "name") or "Error",
        message=_first_text(records, "message") or text or fallback,
        stack=_first_text(records, "stack"),
        cause=_first_raw(records, "cause"),
    )


def not_sdk(body: bytes) -> bytes:
    """The error object of a 2xx response without the SDK's header (7.6)."""
    return error_object(error=NOT_SDK, message=_quoted(body) or NOT_SDK)


def server_fatal(status: int, content_type: str, body: bytes) -> bytes:
    """The error object of any other response without the SDK's header (7.6)."""
    message = f"Your server returned HTTP {status} before the SDK responded."
    stack = (
        "The response has no X-Inngest-SDK header, so it came from a proxy, the framework or the "
        f"platform in front of the SDK.\nContent type: {content_type or 'none'}\n\n{_quoted(body)}"
    )
    return error_object(error=message, name="Server returned a fatal error", message=message, stack=stack)


def transport_error(kind: str, message: str, detail: str = "") -> bytes:
    """The error object of a call that got no usable answer (02 6.8); `detail` goes into `stack`."""
    name = "output_too_large" if kind == "output_too_large" else "Error"
    return error_object(error=message, name=name, message=message, stack=detail)


def _inner_record(outer: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    if "body" not in outer:
        return {}
    text = raw_json.string(outer["body"])
    return raw_json.members(outer["body"] if text is None else text.encode()) or {}


def _text(record: dict[str, msgspec.Raw], member: str) -> str:
    return (raw_json.string(record[member]) or "") if member in record else ""


def _first_text(records: tuple[dict[str, msgspec.Raw], ...], member: str) -> str:
    return next((text for record in records if (text := _text(record, member))), "")


def _first_raw(records: tuple[dict[str, msgspec.Raw], ...], member: str) -> bytes:
    values = (bytes(record[member]) for record in records if member in record)
    return next((value for value in values if value != b"null"), b"")


def _quoted(body: bytes) -> str:
    return body[:MAX_QUOTED_BODY].decode(errors="replace")
