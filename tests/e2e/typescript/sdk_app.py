"""The TypeScript apps: installed once from their lock files, and driven through `SdkApp`."""

import fcntl
import hashlib
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Json, Stepwell

FOLDER = Path(__file__).resolve().parents[1] / "apps" / "typescript"
SIDE_APPS = ("other", "streaming", "plain", "secret", "counted", "refused")
AI_KEY = "sk-the-key-of-the-model"
SECRET_WORD = "Rumpelstilzchen"


def install(version: str) -> Path:
    """The app's folder after `npm ci`, which runs again only when the lock file has changed."""
    folder = FOLDER / version
    installed = folder / "node_modules" / ".installed-lock"
    with (folder / "package-lock.json").open("rb") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock_file.read()).hexdigest()
        if not installed.exists() or installed.read_text() != wanted:
            command = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
            installed.write_text(wanted)
    return folder


class CallRequest(msgspec.Struct, rename="camel"):
    """One call request as the app saw it. `steps` counts memos; `ops` names those of a 206 answer."""

    path: str
    step_id: str
    run_id: str
    attempt: int
    plans_only: bool
    steps: int
    use_api: bool
    version: int
    signed: bool
    status: int = 0
    ops: list[str] | None = None

    @property
    def is_discovery(self) -> bool:
        return self.step_id == "step"


class Post(msgspec.Struct):
    """One request of the app that went through its proxy."""

    method: str
    path: str
    status: int


class SdkApp:
    """An app of one SDK version. Functions are named without the app's id, `prefix`."""

    def __init__(self, stepwell: Stepwell, process: AppProcess, version: str, prefix: str) -> None:
        self.stepwell = stepwell
        self.process = process
        self.version = version
        self.prefix = prefix

    @property
    def is_v3(self) -> bool:
        return self.version == "v3"

    def log_tail(self, lines: int = 80) -> str:
        return self.process.log_tail(lines)

    def send(self, function: str, key: str, **data: Any) -> str:
        """Send the event that starts `function`; a side app's functions are named `side:function`."""
        app, _, name = function.rpartition(":")
        prefix = f"{self.prefix}-{app}" if app else self.prefix
        return self.stepwell.send(f"{prefix}/{name}", {"key": key, **data})

    def run(
        self, function: str, key: str, *, status: str = "Completed", patience: float = 20, **data: Any
    ) -> Json:
        """Start `function` and wait until its run has ended with `status`, for `patience` seconds."""
        event_id = self.send(function, key, **data)
        return self.stepwell.wait_for_run(event_id, status=status, timeout=patience)

    def labels(self, key: str) -> list[str]:
        return self.process.labels(key)

    def calls(self, key: str, label: str) -> list[Json]:
        return [call for call in self.process.calls(key) if call["label"] == label]

    def requests(self, key: str) -> list[CallRequest]:
        """The call requests whose event has the key, in the order in which they came."""
        found = self._get("_requests")
        return [msgspec.convert(entry, CallRequest) for entry in found if entry["key"] == key]

    def ops(self, key: str) -> list[list[str] | None]:
        return [request.ops for request in self.requests(key)]

    def checkpoints(self, run_id: str) -> list[int]:
        """The statuses of the checkpoint posts of a run whose app talks through a proxy."""
        posts = [msgspec.convert(entry, Post) for entry in self._get("_posts")]
        return [post.status for post in posts if post.path == f"/v1/checkpoint/{run_id}/async"]

    def registrations(self) -> list[int]:
        """The statuses of the register posts through the proxy."""
        posts = [msgspec.convert(entry, Post) for entry in self._get("_posts")]
        return [post.status for post in posts if post.path == "/fn/register"]

    def url(self, side_app: str) -> str:
        return f"{self.process.base_url}/api/{side_app}"

    def outside(self, path: str) -> str:
        """The address of a third party that the app's process plays."""
        return f"{self.process.base_url}/outside/{path}"

    def _get(self, path: str) -> list[Mapping[str, Any]]:
        entries: list[Mapping[str, Any]] = httpx.get(f"{self.process.base_url}/{path}", timeout=10).json()
        return entries
