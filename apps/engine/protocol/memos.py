"""Memos: what a finished step is remembered as, raw JSON with sorted members (spec 01, 6.5)."""

import msgspec

from apps.engine.protocol import raw_json
from apps.engine.protocol.errors import error_object

NULL_MEMO = b"null"  # a sleep that ended, a wait that timed out

_INVOKE_TIMEOUT = "Timed out waiting for invoked function to complete"


def data_memo(data: bytes) -> bytes:
    """A step, or an invoked run, that succeeded with this raw JSON; empty stands for null."""
    return b'{"data":' + (data or b"null") + b"}"


def error_memo(error: bytes) -> bytes:
    """A step that failed for good with this raw error object."""
    return b'{"error":' + error + b"}"


def input_memo(arguments: bytes) -> bytes:
    """A step that has not run yet and whose input was replaced by this raw JSON array."""
    return b'{"input":' + arguments + b"}"


def signal_memo(signal: str, payload: bytes) -> bytes:
    return b'{"data":{"data":' + (payload or b"null") + b',"signal":' + raw_json.quote(signal) + b"}}"


def invoke_timeout_memo() -> bytes:
    name = "InngestInvokeTimeoutError"
    return error_memo(error_object(error=f"{name}: {_INVOKE_TIMEOUT}", name=name, message=_INVOKE_TIMEOUT))


def invoke_cancelled_memo() -> bytes:
    """The invoked run was cancelled (spec 02, 7.4)."""
    message = "invoked function was cancelled"
    return error_memo(error_object(name="InngestInvokeCancelledError", message=message))


def gateway_memo(url: str, status: int, headers: dict[str, str], body: str) -> bytes:
    """The response that a Gateway step got, whatever its status."""
    data = {"body": body, "headers": headers, "status_code": status, "url": url}
    return data_memo(msgspec.json.encode(data, order="sorted"))


def gateway_error_memo(reason: str) -> bytes:
    message = f"Error making gateway request: {reason}"
    return error_memo(error_object(name="GatewayError", message=message))


def ai_error_memo(reason: str, body: bytes = b"") -> bytes:
    """A failed AIGateway step; `body` is the provider's answer, JSON or text (11.6)."""
    if not body:
        return error_memo(
            b'{"error":"Error making AI request","message":%b,"name":"AIGatewayError"}' % _ai(reason)
        )
    return error_memo(
        b'{"data":%b,"message":%b,"name":"AIGatewayError","stack":%b}'
        % (raw_json.as_json(body), _ai(reason), raw_json.quote(body.decode(errors="replace")))
    )


def _ai(reason: str) -> bytes:
    return raw_json.quote(f"Error making AI request: {reason}")
