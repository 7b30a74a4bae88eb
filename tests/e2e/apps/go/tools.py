"""The `step` package of the Go double: replays memos, and interrupts with ops as Go writes them."""

import json
import time
from collections.abc import Callable
from datetime import UTC
from typing import Any

from tests.e2e.apps.dialects import server_api
from tests.e2e.apps.dialects.wire import (
    CallRequest,
    Interrupt,
    Json,
    StepFailure,
    StepIds,
    compact,
    result_of,
)
from tests.e2e.apps.go import settings
from tests.e2e.apps.go.checkpoints import Checkpoints
from tests.e2e.apps.go.functions import NoRetryError, RetryAtError


class Steps:
    def __init__(self, call: CallRequest, checkpoints: Checkpoints) -> None:
        self._call = call
        self._checkpoints = checkpoints
        self._ids = StepIds()
        self._plans = bool(call.context["disable_immediate_execution"])

    def run(self, user_id: str, body: Callable[[], Any], **opts: Any) -> Any:
        step_id = self._ids.next(user_id)
        if step_id in self._call.memos:
            return result_of(self._call.memos[step_id])
        self._stop_unless_target(step_id)
        if self._plans and not self._call.target:
            raise Interrupt([_op("StepPlanned", step_id, user_id)])
        started = time.time_ns()
        value = self._executed(step_id, user_id, body)
        op = _op("StepRun", step_id, user_id, data=value, opts=opts or None, started=started)
        if self._checkpoints.is_on:
            self._checkpoints.add(op)
            return json.loads(compact(value))
        raise Interrupt([op])

    def send(self, user_id: str, event: Json) -> str:
        ids: list[str] = self.run(user_id, lambda: _send([event]), type="step.sendEvent")
        return ids[0]

    def send_many(self, user_id: str, events: list[Json]) -> list[str]:
        ids: list[str] = self.run(user_id, lambda: _send(events), type="step.sendEvent")
        return ids

    def sleep(self, user_id: str, duration: str) -> None:
        self._asynchronous("Sleep", user_id, {"duration": duration})

    def wait_for_event(self, user_id: str, event: str, timeout: str, expression: str | None = None) -> Any:
        """The event, or None after the timeout."""
        opts = {"event": event, "timeout": timeout, "if": expression}
        return self._asynchronous("WaitForEvent", user_id, opts)

    def wait_for_signal(self, user_id: str, signal: str, timeout: str, conflict: str = "fail") -> Any:
        """{signal, data}, or None after the timeout, which is the bare null."""
        opts = {"signal": signal, "timeout": timeout, "conflict": conflict}
        memo = self._asynchronous("WaitForSignal", user_id, opts)
        return None if memo is None else memo["data"]

    def invoke(self, user_id: str, function_id: str, data: Json, timeout: str | None = None) -> Any:
        opts = {"function_id": function_id, "payload": {"data": data}, "timeout": timeout or ""}
        return result_of(self._asynchronous("InvokeFunction", user_id, opts))

    def fetch(self, user_id: str, url: str, body: str, method: str | None = None) -> Any:
        opts = {"url": url, "body": body, **({"method": method} if method else {})}
        return result_of(self._asynchronous("Gateway", user_id, opts))

    def infer(self, user_id: str, url: str, auth_key: str, body: Json) -> Any:
        opts = {"type": "step.ai.infer", "url": url, "headers": {}, "auth_key": auth_key}
        return result_of(
            self._asynchronous("AIGateway", user_id, {**opts, "format": "openai-chat", "body": body})
        )

    def parallel(self, *branches: Callable[[], Any]) -> list[Any]:
        """`group.Parallel`: the values or StepFailures of the branches, once all of them have ended."""
        planned, self._plans = self._plans, True
        results: list[Any] = []
        ops: list[Json] = []
        headers: dict[str, str] = {}
        interrupted = False
        for branch in branches:
            try:
                results.append(branch())
            except StepFailure as failure:
                results.append(failure)
            except Interrupt as interrupt:
                interrupted = True
                ops += interrupt.ops
                headers |= interrupt.headers
        self._plans = planned
        if interrupted:
            raise Interrupt(ops, headers)
        return results

    def _asynchronous(self, opcode: str, user_id: str, opts: Json) -> Any:
        """The memo of what the server does; interrupts where there is none yet."""
        step_id = self._ids.next(user_id)
        if step_id in self._call.memos:
            return self._call.memos[step_id]
        self._stop_unless_target(step_id)
        raise Interrupt([_op(opcode, step_id, user_id, opts=opts)])

    def _stop_unless_target(self, step_id: str) -> None:
        if self._call.target not in ("", step_id):
            raise Interrupt([])

    def _executed(self, step_id: str, user_id: str, body: Callable[[], Any]) -> Any:
        try:
            return body()
        except NoRetryError as error:
            op = _op("StepFailed", step_id, user_id, error=_error(error))
            raise Interrupt([op], {"X-Inngest-No-Retry": "true"}) from None
        except RetryAtError as error:
            at = error.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            op = _op(self._failure(), step_id, user_id, error=_error(error))
            raise Interrupt([op], {"Retry-After": at}) from None
        except Exception as error:
            raise Interrupt([_op(self._failure(), step_id, user_id, error=_error(error))]) from None

    def _failure(self) -> str:
        return "StepFailed" if self._call.is_last_attempt else "StepError"


def _op(
    opcode: str,
    step_id: str,
    user_id: str,
    *,
    data: Any = None,
    opts: Json | None = None,
    error: Json | None = None,
    started: int = 0,
) -> Json:
    return {
        "op": opcode,
        "id": step_id,
        "name": user_id,
        "opts": opts,
        "data": data,
        "error": error,
        "displayName": None,
        "timing": {"a": started, "b": time.time_ns() - started if started else 0},
        "userland": {"id": user_id},
    }


def _error(error: Exception) -> Json:
    return {"name": "Error", "message": str(error)}


def _send(events: list[Json]) -> list[str]:
    answer = server_api.post(settings.EVENT_URL, f"/e/{settings.EVENT_KEY}", compact(events), {})
    if answer.status_code not in (200, 201):
        raise RuntimeError(answer.text)
    ids: list[str] = answer.json()["ids"]
    return ids
