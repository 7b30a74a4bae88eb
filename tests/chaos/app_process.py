"""The app as a process of its own, and its registration."""

import sys
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.app import functions
from tests.chaos.app.__main__ import SDK_HEADERS
from tests.chaos.records import JournalReader
from tests.chaos.server import ROOT
from tests.conftest import free_port
from tests.e2e.child_process import ChildProcess
from tests.e2e.waiting import wait_until

_START_SECONDS = 60


class AppProcess:
    """Listens when the constructor returns. It is never disturbed: its journal is the witness."""

    def __init__(self, folder: Path) -> None:
        self._url = f"http://127.0.0.1:{free_port()}/api/inngest"
        journal = folder / "calls.jsonl"
        journal.touch()
        self.journal = JournalReader(journal)
        port = self._url.removeprefix("http://127.0.0.1:").partition("/")[0]
        command = (sys.executable, "-m", "tests.chaos.app", "--port", port, "--journal", str(journal))
        self._process = ChildProcess(command, {}, ROOT, folder / "app.log")
        wait_until(self._answers, _START_SECONDS, self._process.log_tail)

    def register(self, server_url: str) -> None:
        body = {
            "url": self._url,
            "deployType": "ping",
            "appName": functions.APP,
            "sdk": SDK_HEADERS["x-inngest-sdk"],
            "v": "0.1",
            "framework": SDK_HEADERS["x-inngest-framework"],
            "functions": [self._configuration(name) for name in functions.STAGES],
        }
        answer = httpx.post(f"{server_url}/fn/register", json=body, headers=SDK_HEADERS, timeout=30)
        assert answer.status_code == 200, answer.text

    def log_tail(self) -> str:
        return self._process.log_tail()

    def stop(self) -> None:
        self._process.stop()

    def _answers(self) -> bool:
        assert self._process.exit_code is None, self._process.log_tail()
        try:
            return httpx.get(self._url, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _configuration(self, name: str) -> dict[str, Any]:
        slug = f"{functions.APP}-{name}"
        runtime = {"type": "http", "url": f"{self._url}?fnId={slug}&stepId=step"}
        step = {"id": "step", "name": "step", "retries": {"attempts": 3}, "runtime": runtime}
        limits = {"concurrency": functions.concurrency_of(name)}
        triggers = [{"event": functions.TRIGGERS[name]}]
        return {"id": slug, "name": name, "triggers": triggers, "steps": {"step": step}, **limits}
