"""Call requests: body, URL and headers (spec 01, 2.1 and 6).

The body is concatenated from raw fragments with its members in sorted order, so that it is
canonical JSON (1.4) whenever the fragments are.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

import msgspec

from apps.engine.protocol import raw_json

STATE_LIMIT_BYTES = 4 * 1024 * 1024 - 1024
BODY_LIMIT_BYTES = 4 * 1024 * 1024
DISCOVERY_STEP_ID = "step"

_encode = msgspec.json.Encoder().encode


class CallContext(msgspec.Struct):
    """What a call request says about its run and job (6.2).

    `attempt` is 0-based; `stack` holds hashed ids in order of completion, of which `current` counts
    up to the one that caused this request; `step_id` is the hashed id of a targeted step. `version`
    is the run's request version, -1 until known (6.4).
    """

    run_id: str
    fn_id: str
    attempt: int
    max_attempts: int
    stack: Sequence[str] = ()
    current: int = 0
    disable_immediate_execution: bool = False
    use_api: bool = False
    qi_id: str = ""
    request_id: str = ""
    job_id: str = ""
    generation_id: int = 0
    env: str = ""
    version: int = -1
    step_id: str = DISCOVERY_STEP_ID


class _WireStack(msgspec.Struct):
    current: int
    stack: Sequence[str]


class _WireContext(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`ctx` in wire order, which is sorted; the members with defaults are left out when empty."""

    attempt: int
    disable_immediate_execution: bool
    env: str
    fn_id: str
    generation_id: int = 0
    job_id: str = ""
    max_attempts: int
    qi_id: str = ""
    request_id: str = ""
    run_id: str
    stack: _WireStack
    step_id: str
    use_api: bool


def build_body(
    context: CallContext,
    events: Sequence[bytes] | bytes,
    first_event: bytes,
    steps: Iterable[tuple[str, bytes]],
    defers: bytes = b"{}",
) -> bytes:
    """The body of a call request.

    `events` are raw events, or the raw array of them; `steps` are (hashed id, memo) pairs in any
    order; `defers` is a raw object. A state or body above 4 MiB leaves `events` and `steps` out and
    sets `use_api` (6.6), as does `context.use_api`.
    """
    event_list = events if isinstance(events, bytes) else b"[" + b",".join(events) + b"]"
    memos = b"" if context.use_api else _steps_object(steps)
    if context.use_api or len(memos) + len(event_list) > STATE_LIMIT_BYTES:
        return _assemble(context, b"[]", first_event, b"{}", defers, b"true")
    body = _assemble(context, event_list, first_event, memos, defers, b"false")
    if len(body) > BODY_LIMIT_BYTES:
        return _assemble(context, b"[]", first_event, b"{}", defers, b"true")
    return body


def _steps_object(steps: Iterable[tuple[str, bytes]]) -> bytes:
    ordered = sorted(steps)
    if not all(step_id.isascii() for step_id, _ in ordered):
        ordered.sort(key=lambda step: step[0].encode("utf-16-be"))
    return b"{" + b",".join([raw_json.quote(step_id) + b":" + memo for step_id, memo in ordered]) + b"}"


def _assemble(
    context: CallContext, events: bytes, first_event: bytes, steps: bytes, defers: bytes, use_api: bytes
) -> bytes:
    ctx = _encode(_wire_context(context, use_api == b"true"))
    return b'{"ctx":%b,"defers":%b,"event":%b,"events":%b,"steps":%b,"use_api":%b,"version":%d}' % (
        ctx,
        defers,
        first_event,
        events,
        steps,
        use_api,
        context.version,
    )


def _wire_context(context: CallContext, use_api: bool) -> _WireContext:
    return _WireContext(
        attempt=context.attempt,
        disable_immediate_execution=context.disable_immediate_execution,
        env=context.env,
        fn_id=context.fn_id,
        generation_id=context.generation_id,
        job_id=context.job_id,
        max_attempts=context.max_attempts,
        qi_id=context.qi_id,
        request_id=context.request_id,
        run_id=context.run_id,
        stack=_WireStack(context.current, context.stack),
        step_id=context.step_id,
        use_api=use_api,
    )


def call_url(registered_url: str, step_id: str = DISCOVERY_STEP_ID) -> str:
    """The registered URL with `stepId` set; every other parameter stays as it was (6.1)."""
    before, after = _around_step_id(registered_url)
    return before + quote(step_id, safe="") + after


@lru_cache(maxsize=4096)
def _around_step_id(registered_url: str) -> tuple[str, str]:
    parts = urlsplit(registered_url)
    pairs = [pair for pair in parts.query.split("&") if pair]
    names = [unquote_plus(pair.partition("=")[0]) for pair in pairs]
    first = names.index("stepId") if "stepId" in names else len(pairs)
    others = [pair for pair, name in zip(pairs, names, strict=True) if name != "stepId"]
    query = "&".join([*others[:first], "stepId="])
    before = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    return before, "".join("&" + pair for pair in others[first:])


def call_headers(context: CallContext, account_id: str, signature: str = "") -> dict[str, str]:
    """The headers of a call request (2.1); `signature` is the value of X-Inngest-Signature."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Inngest",
        "Accept-Encoding": "gzip",
        "X-Inngest-Req-Version": str(context.version),
        "X-Run-ID": context.run_id,
        "X-Request-ID": context.request_id,
        "X-Inngest-Job-ID": context.job_id,
        "X-Inngest-Step-ID": context.step_id,
        "Account-ID": account_id,
    }
    if context.generation_id > 0:
        headers["X-Inngest-Generation-ID"] = str(context.generation_id)
    if signature:
        headers["X-Inngest-Signature"] = signature
    return headers


def encode_qi_id(job_id: str, shard: str) -> str:
    """The opaque reference to a queue item that SDKs echo in checkpoints."""
    return base64.b64encode(f"{job_id}::{shard}".encode()).decode()


def decode_qi_id(qi_id: str) -> tuple[str, str] | None:
    """(job id, shard) of a reference, or None when it is not one of ours."""
    try:
        text = base64.b64decode(qi_id, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    job_id, separator, shard = text.rpartition("::")
    return (job_id, shard) if separator and job_id else None
