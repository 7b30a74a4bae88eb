"""Requests that steps ask the server to make: step.fetch and step.ai.infer (spec 04, 6.2 to 6.4)."""

import re
from collections.abc import Mapping
from email.message import Message

from yarl import URL

from apps.engine import clock
from apps.engine.calls import failures
from apps.engine.calls.exchange import HttpTransport, Reply
from apps.engine.calls.failures import TransportFailed
from apps.engine.calls.redirects import REDIRECT_STATUSES, Request, web_redirect
from apps.engine.protocol import memos, raw_json
from apps.engine.protocol.outbound_options import AIOptions, GatewayOptions
from apps.engine.protocol.retry import retry_after_ms

MAX_REDIRECTS = 10

# The client frames, addresses and decodes messages itself.
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_FINAL_KINDS = frozenset({failures.BLOCKED, failures.INVALID_URL})


class OutboundFailed(Exception):
    """The request of a step failed. `memo` is what the step is remembered as when no attempt is left.

    `retryable` is False where another attempt cannot help; `retry_at_ms` is what the server asked for.
    """

    def __init__(self, reason: str, memo: bytes, *, retryable: bool, retry_at_ms: int | None = None) -> None:
        super().__init__(reason)
        self.message = reason
        self.memo = memo
        self.retryable = retryable
        self.retry_at_ms = retry_at_ms


async def perform_gateway(transport: HttpTransport, options: GatewayOptions) -> bytes:
    """The memo of a Gateway step: any HTTP answer is a success. Raises OutboundFailed."""
    body = None if options.body is None else options.body.encode(errors="replace")
    method = options.method or ("GET" if body is None else "POST")
    try:
        headers = _merged(options.headers, {})
        reply = await _fetch(transport, method, options.url, headers, body)
    except TransportFailed as error:
        memo = memos.gateway_error_memo(error.detail)
        raise OutboundFailed(error.detail, memo, retryable=error.kind not in _FINAL_KINDS) from error
    return memos.gateway_memo(options.url, reply.status, _shown_headers(reply), _text(reply))


async def perform_ai(transport: HttpTransport, options: AIOptions) -> bytes:
    """The memo of an AIGateway step: the provider's JSON. Raises OutboundFailed."""
    generated = {"Content-Type": "application/json", **_auth_headers(options)}
    try:
        headers = _merged(options.headers, generated)
        reply = await _fetch(transport, "POST", _authorised_url(options), headers, options.body)
    except TransportFailed as error:
        memo = memos.ai_error_memo(error.detail)
        raise OutboundFailed(error.detail, memo, retryable=error.kind not in _FINAL_KINDS) from error
    if reply.status > 299:
        raise _ai_failed(reply, f"unsuccessful status code: {reply.status}")
    data = raw_json.checked(reply.body)
    if data is None:
        raise _ai_failed(reply, "the response is not JSON")
    return memos.data_memo(data)


def _ai_failed(reply: Reply, reason: str) -> OutboundFailed:
    header = reply.headers.get("Retry-After")
    retry_at_ms = retry_after_ms(header, clock.now_ms()) if header else None
    return OutboundFailed(
        reason, memos.ai_error_memo(reason, reply.body), retryable=True, retry_at_ms=retry_at_ms
    )


async def _fetch(
    transport: HttpTransport, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> Reply:
    try:
        request = Request(method, URL(url).with_fragment(None), headers, body)
        for _ in range(MAX_REDIRECTS + 1):
            reply = await transport.send_once(request)
            location = reply.headers.get("Location")
            if reply.status not in REDIRECT_STATUSES or not location:
                return reply
            request = web_redirect(request, reply.status, location)
    except ValueError:
        raise TransportFailed(failures.INVALID_URL, "the URL is malformed") from None
    raise TransportFailed(failures.TOO_MANY_REDIRECTS, f"more than {MAX_REDIRECTS} redirects")


def _auth_headers(options: AIOptions) -> dict[str, str]:
    key = options.auth_key
    if not key or options.format == "gemini":
        return {}
    if options.format == "anthropic":
        return {"x-api-key": key}
    return {"Authorization": key if options.format == "bedrock" else f"Bearer {key}"}


def _authorised_url(options: AIOptions) -> str:
    """Gemini takes its key in the query, where the SDK has mostly put it already."""
    if options.format != "gemini" or not options.auth_key:
        return options.url
    try:
        return str(URL(options.url).update_query(key=options.auth_key))
    except ValueError:
        return options.url


def _merged(given: Mapping[str, str], generated: Mapping[str, str]) -> dict[str, str]:
    """The step's own headers win over generated ones, whatever their case. Raises TransportFailed."""
    kept = {name: value for name, value in given.items() if name.lower() not in _OWN_HEADERS}
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in kept.items()):
        raise TransportFailed(failures.INVALID_URL, "a header is malformed")
    names = {name.lower() for name in kept}
    defaults = {"User-Agent": "Inngest", **generated}
    return kept | {name: value for name, value in defaults.items() if name.lower() not in names}


def _shown_headers(reply: Reply) -> dict[str, str]:
    """Canonical names as HTTP/1 writes them; those of an encoding that was undone are left out."""
    decoded = "Content-Encoding" in reply.headers
    shown: dict[str, str] = {}
    for name, value in reply.headers.items():
        canonical = "-".join(part.capitalize() for part in name.split("-"))
        if decoded and canonical in ("Content-Encoding", "Content-Length"):
            continue
        shown[canonical] = f"{shown[canonical]},{value}" if canonical in shown else value
    return shown


def _text(reply: Reply) -> str:
    content_type = Message()
    content_type["Content-Type"] = reply.headers.get("Content-Type", "")
    charset = content_type.get_content_charset() or "utf-8"
    try:
        return reply.body.decode(charset, errors="replace")
    except (LookupError, UnicodeError):
        return reply.body.decode(errors="replace")
