"""What an app did, for the tests to read at `GET /_calls`."""

import threading
import time
from typing import Any


class Recorder:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[dict[str, Any]] = []

    def add(self, key: str, label: str, **extra: Any) -> None:
        """Every entry belongs to the test that sent `event.data.key`."""
        with self._lock:
            self._calls.append({"label": label, "key": key, "at": int(time.time() * 1000), **extra})

    def count(self, key: str, label: str) -> int:
        with self._lock:
            return sum(call["key"] == key and call["label"] == label for call in self._calls)

    def all(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()


recorder = Recorder()
