"""How Kotlin's handler answers (spec 01 3, 4.3, 4.7, 7.3, 13.3)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.e2e.apps.dialects import server_api, wire
from tests.e2e.apps.dialects.serving import app_url, record_request
from tests.e2e.apps.dialects.wire import SIGNATURE_HEADER, CallRequest, Interrupt, Json, Reply, StepFailure
from tests.e2e.apps.java import settings
from tests.e2e.apps.java.functions import FUNCTIONS, Context, Function, NonRetriableError, RetryAfterError
from tests.e2e.apps.java.tools import Step

_UNAUTHORIZED = Reply(401, b'{"message":"Unauthorized"}', {"X-Inngest-SDK-Handled": "true"})
_HEADERS = {
    "Content-Type": "application/json",
    "X-Inngest-SDK": settings.SDK,
    "X-Inngest-Framework": "ktor",
    "X-Inngest-Req-Version": "2",
}
_KEY_PREFIX = re.compile(r"^signkey-\w+-")


class KotlinDialect:
    def introspect(self, headers: Mapping[str, str]) -> Reply:
        """Unsigned requests have an answer in cloud mode too."""
        inspection = {
            "schema_version": "2024-05-24",
            "authentication_succeeded": None if settings.IS_DEV else _is_trusted(headers, b""),
            "function_count": len(FUNCTIONS),
            "has_event_key": settings.EVENT_KEY != "NO_EVENT_KEY_SET",
            "has_signing_key": bool(settings.SIGNING_KEY),
            "mode": "dev" if settings.IS_DEV else "cloud",
        }
        return Reply(200, wire.compact(inspection), _HEADERS)

    def sync(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """Always out of band; the PUT is not checked, the call that follows carries the key."""
        answer = _register(headers.get("x-inngest-server-kind", ""))
        answered = server_api.json_of(answer)
        if answer.status_code != 200:
            message = str(answered.get("error", "Failed to sync"))
            return Reply(500, wire.compact({"message": message, "modified": False}), _HEADERS)
        synced = {"message": "Successfully synced.", "modified": answered["modified"]}
        return Reply(200, wire.compact(synced), _HEADERS)

    def call(self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> Reply:
        """The raw bytes must be what was signed."""
        if not settings.IS_DEV and not _is_trusted(headers, body):
            return _UNAUTHORIZED
        call = CallRequest(query["fnId"], "", json.loads(body))
        record_request(call, query, headers)
        found = [function for function in FUNCTIONS if function.slug == call.slug]
        if not found:
            return _error(500, ValueError(f"Function {call.slug} not found"), {})
        return _executed(found[0], call)


def _executed(function: Function, call: CallRequest) -> Reply:
    try:
        result = function.body(Context(call), Step(call))
    except Interrupt as interrupt:
        return _reply(206, interrupt.ops, {})
    except NonRetriableError as error:
        return _error(400, error, {"X-Inngest-No-Retry": "true"})
    except RetryAfterError as error:
        return _error(500, error, {"X-Inngest-No-Retry": "false", "Retry-After": error.retry_after})
    except StepFailure as error:
        return _error(500, error, {"X-Inngest-No-Retry": "false"})
    except Exception as error:
        return _error(500, error, {"X-Inngest-No-Retry": "false"})
    return _reply(200, result, {})


def _error(status: int, error: Exception, headers: Mapping[str, str]) -> Reply:
    body = {"name": type(error).__name__, "message": str(error), "stack": "at app", "__serialized": True}
    return _reply(status, body, headers)


def _reply(status: int, value: Any, extra: Mapping[str, str]) -> Reply:
    body = wire.compact(value)
    signature = {} if settings.IS_DEV else {SIGNATURE_HEADER: wire.sign(settings.SIGNING_KEY, body)}
    return Reply(status, body, {**_HEADERS, **signature, **extra})


def _is_trusted(headers: Mapping[str, str], body: bytes) -> bool:
    if not _KEY_PREFIX.match(settings.SIGNING_KEY):
        raise RuntimeError("INNGEST_SIGNING_KEY needs the prefix signkey-<environment>-")
    return wire.is_signed(settings.SIGNING_KEY, headers.get(SIGNATURE_HEADER.lower(), ""), body)


def _register(server_kind: str) -> Any:
    body: Json = {
        "appName": settings.APP_ID,
        "deployType": "ping",
        "framework": "ktor",
        "functions": [function.configuration(app_url()) for function in FUNCTIONS],
        "sdk": settings.SDK,
        "url": app_url(),
        "v": "0.1",
    }
    headers = {"Content-Type": "application/json", "X-Inngest-SDK": settings.SDK}
    if server_kind:
        headers["X-Inngest-Expected-Server-Kind"] = server_kind
    if settings.SIGNING_KEY:
        headers["Authorization"] = f"Bearer {wire.hashed_key(settings.SIGNING_KEY)}"
    return server_api.post(settings.API_URL, "/fn/register", wire.compact(body), headers)
