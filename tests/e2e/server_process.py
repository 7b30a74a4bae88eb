"""One platform: `manage.py dev` on a data folder of its own and a free port."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.e2e.child_process import ChildProcess
from tests.e2e.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 90
_READY_LINE = re.compile(r"Stepwell is ready at (http\S+)")
_VALKEY_PORT = re.compile(r"Running mode=standalone, port=(\d+)")


class ServerProcess:
    """Starts at once and is ready when the constructor returns."""

    def __init__(
        self, folder: Path, *, flags: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._data_dir = folder / "data"
        command = (
            *(sys.executable, "manage.py", "dev", "--data-dir", str(self._data_dir), "--port", "0"),
            *("--host", "127.0.0.1", "--no-discovery", "--no-poll", "--retry-interval", "1", *flags),
        )
        self.process = ChildProcess(command, environment or {}, ROOT, folder / "stepwell.log")
        try:
            self.base_url = wait_until(self._ready_url, _START_SECONDS, self.process.log_tail)
            self._check_health()
        except BaseException:
            self.process.stop()
            raise

    @property
    def redis_url(self) -> str:
        """Of the embedded Valkey, as its log tells the port."""
        log = (self._data_dir / "valkey" / "valkey.log").read_text()
        return f"redis://127.0.0.1:{_VALKEY_PORT.findall(log)[-1]}/0"

    def data_files(self, pattern: str) -> list[Path]:
        """Files at the top of the data folder, such as the database."""
        return sorted(self._data_dir.glob(pattern))

    def _ready_url(self) -> str | None:
        """The supervisor takes the port itself, so no other process can take it in between."""
        if self.process.exit_code is not None:
            raise AssertionError(f"manage.py dev ended: {self.process.log_tail()}")
        found = _READY_LINE.search(self.process.log_file.read_text(errors="replace"))
        return found[1] if found else None

    def _check_health(self) -> None:
        answer = httpx.get(f"{self.base_url}/health?roles=web,worker,scheduler")
        assert answer.status_code == 200, answer.text
