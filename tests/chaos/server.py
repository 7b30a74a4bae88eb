"""The platform under fire: `manage.py dev` on one data folder and one port, life after life."""

import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import free_port
from tests.e2e.child_process import ChildProcess
from tests.e2e.waiting import wait_until
from tests.migrated import copy_migrated

ROOT = Path(__file__).resolve().parents[2]
WEB, WORKER, SCHEDULER, VALKEY = "web", "worker", "scheduler", "valkey"
ROLES = (WEB, WORKER, SCHEDULER)

_READY = "Stepwell is ready at"
_START_SECONDS = 120
_VALKEY_PORT = re.compile(r"Running mode=standalone, port=(\d+)")


class Server:
    """Started by the constructor, ready when it returns."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.data_dir = folder / "data"
        self.base_url = ""
        self._folder = folder
        self._environment = dict(environment)
        self._port = free_port()
        self._lives: list[ChildProcess] = []
        self.data_dir.mkdir(parents=True)
        copy_migrated(self.database)  # which spares it the migrations
        self.start()

    def start(self) -> None:
        """Begin a life; those before it must have ended."""
        log = self._folder / f"stepwell-{len(self._lives) + 1}.log"
        command = (
            *(sys.executable, "manage.py", "dev", "--data-dir", str(self.data_dir)),
            *("--host", "127.0.0.1", "--port", str(self._port), "--log-level", "warn"),
            *("--no-discovery", "--no-poll", "--retry-interval", "1"),
        )
        life = ChildProcess(command, self._environment, ROOT, log)
        self._lives.append(life)
        wait_until(lambda: self._is_ready(life), _START_SECONDS, life.log_tail)
        self.base_url = f"http://127.0.0.1:{self._port}"

    @property
    def redis_url(self) -> str:
        """Of the embedded Valkey of this life, as its log tells the port."""
        log = (self.data_dir / "valkey" / "valkey.log").read_text(errors="replace")
        return f"redis://127.0.0.1:{_VALKEY_PORT.findall(log)[-1]}/0"

    @property
    def database(self) -> Path:
        return self.data_dir / "stepwell.sqlite3"

    def log_tail(self, lines: int = 120) -> str:
        return "\n".join(life.log_tail(lines) for life in self._lives)

    def crashes(self, role: str) -> int:
        """How often the supervisor of this life has seen the role die by SIGKILL."""
        log = self._lives[-1].log_file.read_text(errors="replace")
        return log.count(f"{role} was ended by signal {int(signal.SIGKILL)};")

    def send(self, role: str, number: signal.Signals) -> bool:
        """Whether there was a process of that role to send the signal to."""
        pid = self._pid(role)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def pause(self, number: signal.Signals) -> None:
        """SIGSTOP or SIGCONT for the supervisor, which starts nothing again meanwhile."""
        os.kill(self._lives[-1].pid, number)

    def kill_everything(self) -> None:
        """SIGKILL to Valkey, the roles and at last the supervisor, which has no time to start any again."""
        for role in (VALKEY, *ROLES):
            self.send(role, signal.SIGKILL)
        self._lives[-1].kill()
        wait_until(lambda: not self.processes(), 10, lambda: f"still there: {self.processes()}")

    def stop(self, seconds: float = 10) -> int | None:
        """SIGTERM to the supervisor; its exit code, negative where it had to be killed after `seconds`."""
        life = self._lives[-1]
        life.stop(seconds)
        return life.exit_code

    def processes(self) -> list[str]:
        """Command lines of all processes that belong to this data folder, whatever started them."""
        return _marked_commands(str(self.data_dir).encode())

    def _pid(self, role: str) -> int | None:
        try:
            text = (self.data_dir / "run" / f"{role}.pid").read_text()
        except FileNotFoundError:
            return None  # between a death and the next start
        return int(text) if text else None

    def _is_ready(self, life: ChildProcess) -> bool:
        if life.exit_code is not None:
            raise AssertionError(f"manage.py dev ended: {life.log_tail()}")
        return _READY in life.log_file.read_text(errors="replace")


def _marked_commands(mark: bytes) -> list[str]:
    """Of the processes whose command line or environment names `mark`, the supervisor's children included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if mark in command or mark in (folder / "environ").read_bytes():
                found.append(f"{folder.name} {command.replace(bytes(1), b' ').decode(errors='replace')}")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended while we looked, or is of somebody else
    return found
