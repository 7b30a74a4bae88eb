"""`manage.py dev` as a person starts it: two lives on one data folder."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from apps.devserver.listener import open_listener
from tests.integration.devserver.waiting import is_running, wait_for

MANAGE = Path(__file__).resolve().parents[3] / "manage.py"
ROLES = ("web", "worker", "scheduler", "valkey")
READY = re.compile(r"dev       \| Stepwell is ready at http://127\.0\.0\.1:(\d+)")


def dev_command(folder: Path, *flags: str) -> list[str]:
    return [sys.executable, str(MANAGE), "dev", "--data-dir", str(folder / "data"), "--no-discovery", *flags]


def clean_environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder)}


class Platform:
    """A running `manage.py dev`, with the lines that it has printed so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            dev_command(folder, "--port", "0"),
            cwd=folder,
            env=clean_environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def ready_ports(self) -> list[int]:
        return [int(found[1]) for line in self.lines if (found := READY.fullmatch(line))]

    def wait_until_ready(self) -> int:
        wait_for(lambda: bool(self.ready_ports()) or self.process.poll() is not None, "the ready line", 90)
        assert self.process.poll() is None, self.lines
        return self.ready_ports()[0]

    def process_ids(self) -> dict[str, int]:
        return {role: int((self.folder / "data" / "run" / f"{role}.pid").read_text()) for role in ROLES}

    def redis_url(self) -> str:
        environment = Path(f"/proc/{self.process_ids()['worker']}/environ").read_text().split("\0")
        return next(line.removeprefix("REDIS_URL=") for line in environment if line.startswith("REDIS_URL="))

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Platform]]:
    platforms: list[Platform] = []

    def start_one() -> Platform:
        platforms.append(Platform(tmp_path))
        return platforms[-1]

    yield start_one
    for platform in platforms:
        if platform.process.poll() is None:
            platform.end(signal.SIGKILL)


def health(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health?roles=web,worker,scheduler")
        return connection.getresponse().status
    finally:
        connection.close()


def refused(folder: Path, *flags: str) -> str:
    """The only line of a start that does not happen."""
    answer = subprocess.run(
        dev_command(folder, *flags),
        cwd=folder,
        env=clean_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    return answer.stderr


@pytest.mark.timeout(240)
def test_two_lives_on_one_folder(tmp_path: Path, start: Callable[[], Platform]) -> None:
    first = start()
    port = first.wait_until_ready()
    assert health(port) == 200
    remember(first.redis_url())
    assert refused(tmp_path, "--port", "0") == (
        f"Error: Another Stepwell (process {first.process.pid}) already runs on {tmp_path / 'data'}\n"
    )
    check_that_web_is_started_again(first, port)
    check_end_on_request(first)

    second = start()
    second.wait_until_ready()
    with redis.Redis.from_url(second.redis_url()) as client:
        assert client.get("remembered") == b"yes"
    check_that_a_kill_leaves_no_process(second)


def remember(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("remembered", "yes")


def check_that_web_is_started_again(platform: Platform, port: int) -> None:
    """The supervisor keeps the socket: the request made while web is away waits and is answered."""
    before = platform.process_ids()["web"]
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: not is_running(before), "the end of web")
    assert health(port) == 200
    assert platform.process_ids()["web"] != before
    assert "dev       | web was ended by signal 9; starting it again in 0.2 s" in platform.lines


def check_end_on_request(platform: Platform) -> None:
    process_ids = platform.process_ids()
    started = time.monotonic()
    assert platform.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 10
    assert [role for role, process_id in process_ids.items() if is_running(process_id)] == []
    assert len(platform.ready_ports()) == 1


def check_that_a_kill_leaves_no_process(platform: Platform) -> None:
    process_ids = platform.process_ids()
    assert platform.end(signal.SIGKILL) == -signal.SIGKILL
    wait_for(lambda: not any(map(is_running, process_ids.values())), "the end of every child")


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with open_listener("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        line = refused(tmp_path, "--host", "127.0.0.1", "--port", str(port))
    assert (
        line == f"Error: Port {port} is already in use; choose another one with --port (0 takes a free one)\n"
    )


def test_a_wrong_option_is_one_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "--port", "x") == "Error: --port must be a whole number, not 'x'\n"
