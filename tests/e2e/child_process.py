"""A process of the harness in a session of its own, its output in a file."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_FOREIGN_PREFIXES = ("INNGEST_", "STEPWELL_", "DJANGO_", "REDIS_URL", "DATABASE_URL", "PYTEST_", "LOG_LEVEL")


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of Stepwell or the SDKs, and with `extra`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_PREFIXES)}
    return inherited | dict(extra)


class ChildProcess:
    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log_file: Path
    ) -> None:
        self.log_file = log_file
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                env=clean_environment(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def log_tail(self, lines: int = 80) -> str:
        content = self.log_file.read_text(errors="replace")
        return "\n".join(content.splitlines()[-lines:])

    def stop(self, seconds: float = 12) -> None:
        """SIGTERM, then SIGKILL to the whole session."""
        if self.exit_code is None:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._kill_session()

    def kill(self) -> None:
        self._kill_session()
        self._process.wait(10)

    def _kill_session(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # everyone has gone
