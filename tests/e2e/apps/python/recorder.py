"""What the functions of this app did, for the tests to read at `GET /_calls`."""

import threading
import time

import inngest


class Recorder:
    """Kept in memory; every entry belongs to the test that sent `event.data.key`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[dict[str, object]] = []

    def add(self, key: str, label: str, **extra: object) -> None:
        with self._lock:
            self._calls.append({"label": label, "key": key, "at": int(time.time() * 1000), **extra})

    def all(self) -> list[dict[str, object]]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


recorder = Recorder()


def note(ctx: inngest.Context | inngest.ContextSync, label: str, **extra: object) -> None:
    """Record that `label` ran, with the attempt it ran in."""
    recorder.add(str(ctx.event.data.get("key", "")), label, attempt=ctx.attempt, run_id=ctx.run_id, **extra)


def returning(ctx: inngest.Context, label: str, value: object) -> object:
    """A step body that records itself and returns `value`."""

    async def body() -> object:
        note(ctx, label)
        return value

    return body
