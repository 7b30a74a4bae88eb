"""What a worker process can still do: probed from within, as code that broke out of V8 would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.webhooks.runtime.process import WorkerProcess

ROOT = Path(__file__).resolve().parents[3]
PROBE = """
import ctypes, json, os, resource, socket, subprocess, sys, threading
from apps.webhooks.runtime import confinement
confinement.limit_resources()
is_sealed = confinement.seal()
def attempt(act):
    try:
        act()
    except OSError as problem:
        return problem.errno
    return "done"
def thread():
    started = threading.Thread(target=lambda: None)
    started.start()
    started.join()
print(json.dumps({
    "sealed": is_sealed,
    "read": attempt(lambda: open("/etc/passwd")),
    "write": attempt(lambda: open("/tmp/stepwell-probe", "w")),
    "list": attempt(lambda: os.listdir("/")),
    "socket": attempt(lambda: socket.socket()),
    "fork": attempt(lambda: os.fork()),
    "run": attempt(lambda: os.execv("/bin/true", ["true"])),
    "kill": attempt(lambda: os.kill(os.getppid(), 0)),
    "signal": attempt(lambda: os.kill(os.getpid(), 0)),
    "limit another": attempt(lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)),
    "own limit": attempt(lambda: resource.prlimit(0, resource.RLIMIT_NOFILE)),
    "priority": attempt(lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)),
    "thread": attempt(thread),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
}))
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the filter is one of Linux")


@linux_only
def test_files_sockets_and_processes_are_out_of_reach() -> None:
    found = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(found.stdout) == {
        "sealed": True,
        "read": 1,
        "write": 1,
        "list": 1,
        "socket": 1,
        "fork": 1,
        "run": 1,
        "kill": 1,
        "signal": 1,
        "limit another": 1,
        "own limit": "done",
        "priority": 1,
        "thread": "done",
        "core": 0,
    }


@linux_only
def test_a_worker_is_sealed_and_has_nothing_of_the_servers_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STEPWELL_SECRET_KEY", "top secret")
    process = WorkerProcess()
    try:
        assert process.is_sealed
        environment = Path(f"/proc/{process.pid}/environ").read_text()
        descriptors = {int(name) for name in os.listdir(f"/proc/{process.pid}/fd")}
        targets = {os.readlink(f"/proc/{process.pid}/fd/{number}") for number in descriptors}
    finally:
        process.kill()
    assert sorted(entry.partition("=")[0] for entry in environment.split("\0") if entry) == [
        "LANG",
        "PYTHONDONTWRITEBYTECODE",
        "TZ",
    ]
    assert {target.partition(":")[0] for target in targets} <= {"pipe", "/dev/null", "socket", "anon_inode"}
