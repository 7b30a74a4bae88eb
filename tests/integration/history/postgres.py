"""A PostgreSQL server of our own, where its binaries are installed (Debian package `postgresql`)."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.conftest import free_port


def binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running_server(bin_dir: Path, *, syncs: bool = False) -> Iterator[int]:
    """The port of a server on loopback with user postgres, no password and the database postgres.

    It does without syncing to disk, unless a measurement wants what a server costs.
    """
    folder = Path(tempfile.mkdtemp(prefix="stepwell-postgres-"))
    owner = _owner()
    if owner is not None:
        os.chown(folder, pwd.getpwnam(owner).pw_uid, -1)
    data, port = folder / "data", free_port()
    command = [
        str(bin_dir / "initdb"),
        "-D",
        str(data),
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(command, user=owner, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    settings = [
        "-c",
        f"fsync={'on' if syncs else 'off'}",
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        f"unix_socket_directories={folder}",
    ]
    process = subprocess.Popen(
        [bin_dir / "postgres", "-D", data, "-p", str(port), *settings],
        user=owner,
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(port, time.monotonic() + 20)
        yield port
    finally:
        process.send_signal(signal.SIGINT)  # SIGTERM would wait for clients
        process.wait(timeout=20)
        shutil.rmtree(folder)


def _owner() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "postgres" if os.getuid() == 0 else None


def _wait_until_up(port: int, deadline: float) -> None:
    while True:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
