"""The `Step` class of the Kotlin double: replays memos, and interrupts with ops as Kotlin writes them.

Kotlin plans nothing and never says `StepFailed`; it has `Step` for events that it sends.
"""

import traceback
from collections.abc import Callable
from typing import Any

from tests.e2e.apps.dialects import server_api
from tests.e2e.apps.dialects.wire import CallRequest, Interrupt, Json, StepIds, compact, result_of
from tests.e2e.apps.java import settings
from tests.e2e.apps.java.functions import NonRetriableError, RetryAfterError


class Step:
    def __init__(self, call: CallRequest) -> None:
        self._call = call
        self._ids = StepIds()

    def run(self, user_id: str, body: Callable[[], Any]) -> Any:
        step_id = self._ids.next(user_id)
        if step_id in self._call.memos:
            return result_of(self._call.memos[step_id])
        try:
            value = body()
        except (NonRetriableError, RetryAfterError):
            raise
        except Exception as error:
            raise Interrupt([_result("StepError", step_id, user_id, None, _throwable(error))]) from None
        raise Interrupt([_result("StepRun", step_id, user_id, value, None)])

    def send_event(self, user_id: str, *events: Json) -> list[str]:
        """The memo is `{"event_ids": [...]}` as it was sent, without `data` around it."""
        step_id = self._ids.next(user_id)
        if step_id in self._call.memos:
            ids: list[str] = self._call.memos[step_id]["event_ids"]
            return ids
        raise Interrupt([_result("Step", step_id, user_id, {"event_ids": _send(list(events))}, None)])

    def sleep(self, user_id: str, duration: str) -> None:
        self._asynchronous("Sleep", user_id, {"duration": duration})

    def wait_for_event(self, user_id: str, event: str, timeout: str, expression: str | None = None) -> Any:
        """The `data` of the event, or None after the timeout."""
        opts = {"event": event, "timeout": timeout, **({"if": expression} if expression else {})}
        memo = self._asynchronous("WaitForEvent", user_id, opts)
        return None if memo is None else memo["data"]

    def invoke(self, user_id: str, app_id: str, function_id: str, data: Json, timeout: str | None) -> Any:
        opts = {
            "function_id": f"{app_id}-{function_id}",
            "payload": {"data": data},
            **({"timeout": timeout} if timeout else {}),
        }
        return result_of(self._asynchronous("InvokeFunction", user_id, opts))

    def _asynchronous(self, opcode: str, user_id: str, opts: Json) -> Any:
        step_id = self._ids.next(user_id)
        if step_id in self._call.memos:
            return self._call.memos[step_id]
        op = {"id": step_id, "name": user_id, "op": opcode, "opts": opts, "statusCode": 206}
        raise Interrupt([op])


def _result(opcode: str, step_id: str, user_id: str, data: Any, error: Json | None) -> Json:
    return {"id": step_id, "name": user_id, "op": opcode, "data": data, "error": error, "statusCode": 206}


def _throwable(error: Exception) -> Json:
    """A Java exception as its JSON library writes it: no `name`."""
    frames = [
        {"className": "app.Functions", "methodName": frame.name, "lineNumber": frame.lineno}
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return {
        "cause": None,
        "localizedMessage": str(error),
        "message": str(error),
        "stackTrace": frames,
        "suppressed": [],
    }


def _send(events: list[Json]) -> list[str]:
    answer = server_api.post(settings.EVENT_URL, f"/e/{settings.EVENT_KEY}", compact(events), {})
    if not answer.is_success:
        raise RuntimeError(f"Failed to send the events: {answer.text}")
    ids: list[str] = answer.json()["ids"]
    return ids
