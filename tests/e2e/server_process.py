"""One platform: `manage.py dev` on a data folder of its own and a free port, or `manage.py start` on
PostgreSQL and Redis."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psycopg

from tests.e2e.child_process import ChildProcess
from tests.e2e.services import RunningServices
from tests.e2e.waiting import wait_until
from tests.migrated import copy_migrated

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 90
_READY_LINE = re.compile(r"Stepwell is ready at (http[^\s\"]+)")
_VALKEY_PORT = re.compile(r"Running mode=standalone, port=(\d+)")

SECRET_KEY = "e2e-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-secret"


class ServerProcess:
    """Starts at once and is ready when the constructor returns."""

    def __init__(
        self, folder: Path, *, flags: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self._data_dir = folder / "data"
        self._prepare(self._data_dir)
        self.process = ChildProcess(
            self._command(flags), self._environment(environment or {}), ROOT, folder / "stepwell.log"
        )
        try:
            self.base_url = wait_until(self._ready_url, _START_SECONDS, self.process.log_tail)
            self._check_health()
        except BaseException:
            self.stop()
            raise

    def _prepare(self, data_dir: Path) -> None:
        """Spare it the migrations, where the folder is new."""
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            copy_migrated(data_dir / "stepwell.sqlite3")

    def _command(self, flags: Sequence[str]) -> tuple[str, ...]:
        return (
            *(sys.executable, "manage.py", "dev", "--data-dir", str(self._data_dir), "--port", "0"),
            *("--host", "127.0.0.1", "--no-discovery", "--no-poll", "--retry-interval", "1", *flags),
        )

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        return dict(given)

    def settings_environment(self) -> dict[str, str]:
        """What a process beside the server needs to work on its database and Redis."""
        return {"STEPWELL_DATA_DIR": str(self._data_dir), "REDIS_URL": self.redis_url}

    def stop(self) -> None:
        self.process.stop()

    @property
    def redis_url(self) -> str:
        """Of the embedded Valkey, as its log tells the port."""
        log = (self._data_dir / "valkey" / "valkey.log").read_text()
        return f"redis://127.0.0.1:{_VALKEY_PORT.findall(log)[-1]}/0"

    def process_ids(self) -> list[int]:
        """Roots of all process trees that serve, for those who measure them."""
        return [self.process.pid]

    def data_files(self, pattern: str) -> list[Path]:
        """Files at the top of the data folder, such as the database."""
        return sorted(self._data_dir.glob(pattern))

    def stored_bytes(self) -> bytes:
        """All that the database holds, to look for what it must not hold."""
        return b"".join(path.read_bytes() for path in self.data_files("*.sqlite3*"))

    def _ready_url(self) -> str | None:
        """The supervisor takes the port itself, so no other process can take it in between."""
        if self.process.exit_code is not None:
            raise AssertionError(f"manage.py ended: {self.process.log_tail()}")
        found = _READY_LINE.search(self.process.log_file.read_text(errors="replace"))
        return found[1] if found else None

    def _check_health(self) -> None:
        answer = httpx.get(f"{self.base_url}/health?roles=web,worker,scheduler")
        assert answer.status_code == 200, answer.text


class StartedServer(ServerProcess):
    """`manage.py start`, on a PostgreSQL and a Redis that live as long as it does."""

    def __init__(self, folder: Path, *, signing_key: str, event_key: str, syncs: bool = False) -> None:
        self._services = RunningServices(syncs=syncs)
        self._keys = {"STEPWELL_SIGNING_KEY": signing_key, "STEPWELL_EVENT_KEYS": event_key}
        super().__init__(folder)

    def _prepare(self, data_dir: Path) -> None:
        data_dir.parent.mkdir(parents=True, exist_ok=True)

    def _command(self, flags: Sequence[str]) -> tuple[str, ...]:
        return (
            *(sys.executable, "manage.py", "start", "--data-dir", str(self._data_dir), "--port", "0"),
            *("--host", "127.0.0.1", "--retry-interval", "1", *flags),
        )

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The apps of the tests are on loopback, which a server does not call by itself."""
        return {
            "DATABASE_URL": self._services.urls.database_url,
            "REDIS_URL": self._services.urls.redis_url,
            "STEPWELL_SECRET_KEY": SECRET_KEY,
            "STEPWELL_ALLOWED_HOSTS": "127.0.0.1",
            "STEPWELL_ALLOW_PRIVATE_NETWORKS": "1",
            "STEPWELL_DRAIN_SECONDS": "2",
            **self._keys,
            **given,
        }

    def settings_environment(self) -> dict[str, str]:
        return super().settings_environment() | self._environment({})

    def stop(self) -> None:
        super().stop()
        self._services.stop()

    @property
    def redis_url(self) -> str:
        return self._services.urls.redis_url

    def process_ids(self) -> list[int]:
        return [self.process.pid, *self._services.process_ids()]

    def stored_bytes(self) -> bytes:
        with psycopg.connect(self._services.urls.database_url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            return b"".join(_rows(connection, table) for (table,) in tables.fetchall())


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(map(bytes, copy))
