"""How Go's handler answers (spec 01 3, 4.3, 4.5, 7.3, 7.4, 13.3)."""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import jcs

from tests.e2e.apps.dialects import server_api, wire
from tests.e2e.apps.dialects.serving import Stream, app_url, record_request
from tests.e2e.apps.dialects.wire import SIGNATURE_HEADER, CallRequest, Interrupt, Json, Reply, StepFailure
from tests.e2e.apps.go import settings
from tests.e2e.apps.go.checkpoints import Checkpoints
from tests.e2e.apps.go.functions import FUNCTIONS, GONE, Context, Function, NoRetryError, RetryAtError
from tests.e2e.apps.go.tools import Steps

_CAPABILITIES = {"in_band_sync": "v1", "trust_probe": "v1", "connect": "v1"}
_UNAUTHORIZED = Reply(401, b'{"message":"Unauthorized"}\n', {"X-Inngest-SDK-Handled": "true"})
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": settings.SDK,
    "X-Inngest-SDK": settings.SDK,
    "X-Inngest-SDK-Handled": "true",
    "X-Inngest-Req-Version": "2",
}


class GoDialect:
    def introspect(self, headers: Mapping[str, str]) -> Reply:
        if not settings.IS_DEV and not _is_trusted(headers, b""):
            return _UNAUTHORIZED
        return _reply(200, _inspection(), {})

    def sync(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """In-band whenever the PUT is signed, whatever its sync kind says."""
        if SIGNATURE_HEADER.lower() in headers:
            return self._in_band() if settings.IS_DEV or _is_trusted(headers, body) else _UNAUTHORIZED
        if not settings.IS_DEV and not settings.ALLOWS_UNSIGNED_SYNC:
            return _UNAUTHORIZED
        return _register()

    def call(self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Reply | Stream:
        if not settings.IS_DEV and not _is_trusted(headers, body):
            return _UNAUTHORIZED
        if query.get("probe") == "trust":
            return _reply(200, {}, {})
        target = query["stepId"]
        call = CallRequest(query["fnId"], "" if target == "step" else target, json.loads(body))
        record_request(call, query, headers)
        found = [item for item in _served() if f"{settings.APP_ID}-{item.id}" == call.slug]
        if not found:
            return _reply(410, {"message": f"function not found: {call.slug}"}, {})
        status, value, extra = _executed(found[0], call)
        return _stream(status, value, extra) if settings.STREAMS else _reply(status, value, extra)

    def _in_band(self) -> Reply:
        body = {
            "app_id": settings.APP_ID,
            "env": None,
            "framework": None,
            "functions": _functions(),
            "inspection": _inspection(),
            "platform": None,
            "sdk_author": "inngest",
            "sdk_language": "go",
            "sdk_version": settings.SDK.partition("v")[2],
            "url": app_url(),
        }
        return _reply(200, body, {"X-Inngest-Sync-Kind": "in_band"})


def _executed(function: Function, call: CallRequest) -> tuple[int, Any, dict[str, str]]:
    """Status, JSON body and special headers of the answer to one call."""
    checkpoints = Checkpoints(call, function.checkpoint)
    try:
        result = function.body(Context(call), Steps(call, checkpoints))
    except Interrupt as interrupt:
        checkpoints.flush()
        return 206, checkpoints.pending + interrupt.ops, interrupt.headers
    except (NoRetryError, StepFailure) as error:
        return 500, {"message": str(error)}, {"X-Inngest-No-Retry": "true"}
    except RetryAtError as error:
        return 500, {"message": str(error)}, {"Retry-After": error.at.isoformat()}
    except Exception as error:
        return 500, {"message": str(error)}, {}
    checkpoints.flush()
    if checkpoints.pending:
        return 206, [*checkpoints.pending, _run_complete(result)], {}
    return 200, result, {}


def _run_complete(result: Any) -> Json:
    return {"op": "RunComplete", "id": "0737c22d3bfae812339732d14d8c7dbd6dc4e09c", "data": result}


def _reply(status: int, value: Any, extra: Mapping[str, str]) -> Reply:
    """Go ends a body with a newline, which its signature leaves out."""
    body = wire.compact(value)
    signature = {} if settings.IS_DEV else {SIGNATURE_HEADER: wire.sign(settings.SIGNING_KEY, body)}
    return Reply(status, body + b"\n", {**_HEADERS, **signature, **extra})


def _stream(status: int, value: Any, extra: Mapping[str, str]) -> Stream:
    document = {
        "status": status,
        "body": value,
        "retryAt": extra.get("Retry-After"),
        "noRetry": extra.get("X-Inngest-No-Retry") == "true",
        "headers": {"X-Inngest-Req-Version": "2"},
    }

    def chunks() -> Iterator[bytes]:
        for _ in range(3):
            yield b" "
            time.sleep(0.02)
        yield wire.compact(document)

    return 201, _HEADERS, chunks()


def _is_trusted(headers: Mapping[str, str], body: bytes) -> bool:
    canonical = jcs.canonicalize(json.loads(body)) if body else b""
    return wire.is_signed(settings.SIGNING_KEY, headers.get(SIGNATURE_HEADER.lower(), ""), canonical)


def _served() -> list[Function]:
    return [item for item in FUNCTIONS if item.id != GONE]


def _functions() -> list[Json]:
    return [item.configuration(settings.APP_ID, app_url()) for item in FUNCTIONS]


def _inspection() -> Json:
    return {
        "schema_version": "2024-05-24",
        "authentication_succeeded": None if settings.IS_DEV else True,
        "capabilities": _CAPABILITIES,
        "app_id": settings.APP_ID,
        "function_count": len(FUNCTIONS),
        "has_event_key": settings.EVENT_KEY != "NO_EVENT_KEY_SET",
        "has_signing_key": bool(settings.SIGNING_KEY),
        "has_signing_key_fallback": False,
        "mode": "dev" if settings.IS_DEV else "cloud",
    }


def _register() -> Reply:
    body = {
        "url": app_url(),
        "v": "1",
        "deployType": "ping",
        "sdk": settings.SDK,
        "framework": "",
        "appName": settings.APP_ID,
        "functions": _functions(),
        "headers": {"env": "", "platform": ""},
        "capabilities": _CAPABILITIES,
        "idempotencyKey": "",
    }
    headers = {"Content-Type": "application/json", "X-Inngest-SDK": settings.SDK}
    if settings.SIGNING_KEY:
        headers["Authorization"] = f"Bearer {wire.hashed_key(settings.SIGNING_KEY)}"
    answer = server_api.post(settings.API_URL, "/fn/register", wire.compact(body), headers)
    if answer.status_code == 200:
        return Reply(200, b"", _HEADERS)
    error = str(server_api.json_of(answer).get("error", answer.text))
    return Reply(500, error.encode(), _HEADERS)
