"""`AppProcess`: a user's app, written with an unmodified SDK, as a process of its own.

An app listens at the port of `PORT`, serves its functions at `/api/inngest`, and keeps what its
functions did: `GET /_calls` answers a list of objects with `label` and `key` (and anything else),
`POST /_reset` empties it. `key` is `event.data.key`, which each test makes unique. An app may also keep
the call requests it got: `GET /_requests` answers objects with `key`, `step_id`, `ctx` and more.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import free_port
from tests.e2e.child_process import ChildProcess
from tests.e2e.harness import Stepwell
from tests.e2e.waiting import wait_until

SERVE_PATH = "/api/inngest"
_START_SECONDS = 60


class AppProcess:
    """Starts at once; the constructor returns when the app answers as an SDK does."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        log_file: Path,
        environment: Mapping[str, str],
        *,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.base_url}{SERVE_PATH}"
        self._command = tuple(command)
        self._folder = folder
        self._log_file = log_file
        self._environment = {**environment, "PORT": str(self.port)}
        self.process = self._start()

    def _start(self) -> ChildProcess:
        process = ChildProcess(self._command, self._environment, self._folder, self._log_file)
        try:
            wait_until(lambda: self._is_up(process), _START_SECONDS, process.log_tail)
        except BaseException:
            process.stop()
            raise
        return process

    def _is_up(self, process: ChildProcess) -> bool:
        """An app in cloud mode refuses an unsigned GET, without the SDK's headers."""
        if process.exit_code is not None:
            raise AssertionError(f"The app ended: {process.log_tail()}")
        try:
            answer = httpx.get(self.url, timeout=5)
        except httpx.TransportError:
            return False
        return "x-inngest-sdk" in answer.headers or answer.status_code == 401

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """kill -9; `restart` brings the app back at the same port."""
        self.process.kill()

    def restart(self, environment: Mapping[str, str] | None = None) -> None:
        """Start again, with more variables if given; what was recorded is lost with the old process."""
        self.process.stop()
        self._environment |= dict(environment or {})
        self.process = self._start()

    def calls(self, key: str | None = None) -> list[dict[str, Any]]:
        """What the functions recorded, in order; with `key` only what belongs to it."""
        recorded: list[dict[str, Any]] = httpx.get(f"{self.base_url}/_calls", timeout=10).json()
        return [call for call in recorded if key is None or call["key"] == key]

    def labels(self, key: str) -> list[str]:
        return [str(call["label"]) for call in self.calls(key)]

    def requests(self, key: str) -> list[dict[str, Any]]:
        """The call requests for the runs of `key`, in order of arrival."""
        kept: list[dict[str, Any]] = httpx.get(f"{self.base_url}/_requests", timeout=10).json()
        return [request for request in kept if request["key"] == key]

    def wait_for_label(self, key: str, label: str, *, count: int = 1, timeout: float = 15) -> None:
        wait_until(
            lambda: self.labels(key).count(label) >= count, timeout, lambda: f"Recorded: {self.calls(key)}"
        )

    def reset(self) -> None:
        httpx.post(f"{self.base_url}/_reset", timeout=10)

    def log_tail(self, lines: int = 80) -> str:
        return self.process.log_tail(lines)


def dev_environment(stepwell: Stepwell) -> dict[str, str]:
    """How an app finds a server of kind dev."""
    return {"INNGEST_DEV": stepwell.base_url}


def cloud_environment(stepwell: Stepwell) -> dict[str, str]:
    """How an app finds a server that signs: `INNGEST_DEV` stays unset. TypeScript 3 takes every place that
    is not called production for a developer's."""
    return {
        "NODE_ENV": "production",
        "INNGEST_BASE_URL": stepwell.base_url,
        "INNGEST_SIGNING_KEY": stepwell.signing_key,
        "INNGEST_EVENT_KEY": stepwell.event_key,
    }
