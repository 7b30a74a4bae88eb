"""What this app saw and did, for the tests to read at `GET /_calls` and `GET /_requests`."""

import json
import threading
import time
from collections.abc import Awaitable, Callable

import inngest

_STEPS_SHOWN = 200


class Recorder:
    """Kept in memory; every entry belongs to the test that sent `event.data.key`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[dict[str, object]] = []
        self._requests: list[dict[str, object]] = []

    def add(self, key: str, label: str, **extra: object) -> None:
        with self._lock:
            self._calls.append({"label": label, "key": key, "at": int(time.time() * 1000), **extra})

    def add_request(self, step_id: str, body: bytes) -> None:
        """Keep what a call request said, without the memos themselves."""
        call = json.loads(body)
        entry = {
            "key": call["event"]["data"].get("key", ""),
            "step_id": step_id,
            "use_api": call["use_api"],
            "version": call["version"],
            "ctx": call["ctx"],
            "steps": list(call["steps"])[:_STEPS_SHOWN],
        }
        with self._lock:
            self._requests.append(entry)

    def calls(self) -> list[dict[str, object]]:
        with self._lock:
            return list(self._calls)

    def requests(self) -> list[dict[str, object]]:
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._requests.clear()


recorder = Recorder()


def key_of(ctx: inngest.Context | inngest.ContextSync) -> str:
    return str(ctx.event.data.get("key", ""))


def note(ctx: inngest.Context | inngest.ContextSync, label: str, **extra: object) -> None:
    """Record that `label` ran, with the attempt it ran in."""
    recorder.add(key_of(ctx), label, attempt=ctx.attempt, run_id=ctx.run_id, **extra)


def returning(ctx: inngest.Context, label: str, value: object) -> Callable[[], Awaitable[object]]:
    """A step body that records itself and returns `value`."""

    async def body() -> object:
        note(ctx, label)
        return value

    return body


def raising(ctx: inngest.Context, label: str, error: Exception) -> Callable[[], Awaitable[object]]:
    """A step body that records itself and raises `error`."""

    async def body() -> object:
        note(ctx, label)
        raise error

    return body
