"""PostgreSQL and Redis of their own, from Debian's packages, for one platform in server mode."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.conftest import free_port
from tests.integration.history import postgres

_START_SECONDS = 20


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str


def missing() -> str:
    """What is not installed, or nothing."""
    absent = [] if postgres.binaries() else ["postgresql"]
    return ", ".join([*absent, *([] if shutil.which("redis-server") else ["redis-server"])])


class RunningServices:
    """Both servers, from the constructor to `stop`."""

    def __init__(self, *, syncs: bool = False) -> None:
        bin_dir = postgres.binaries()
        assert bin_dir is not None, "needs PostgreSQL"
        self._stack = ExitStack()
        try:
            port = self._stack.enter_context(postgres.running_server(bin_dir, syncs=syncs))
            redis_url = self._stack.enter_context(_running_redis())
        except BaseException:
            self._stack.close()
            raise
        self.urls = Services(f"postgres://postgres@127.0.0.1:{port}/postgres", redis_url)

    def process_ids(self) -> list[int]:
        """Of PostgreSQL's postmaster, whose children serve, and of Redis."""
        with psycopg.connect(self.urls.database_url) as connection:
            backend = connection.info.backend_pid
            postmaster = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
        with redis.Redis.from_url(self.urls.redis_url) as client:
            return [postmaster, int(client.info("server")["process_id"])]

    def stop(self) -> None:
        self._stack.close()


@contextmanager
def _running_redis() -> Iterator[str]:
    """As a server would have it: an append-only file, synced each second."""
    folder, port = Path(tempfile.mkdtemp(prefix="stepwell-redis-")), free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(
            ["redis-server", *options, "--appendonly", "yes", "--maxmemory-policy", "noeviction"],
            stdout=log,
            stderr=log,
            env={"PATH": os.environ["PATH"]},
        )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_until_up(url, time.monotonic() + _START_SECONDS)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(url: str, deadline: float) -> None:
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return
