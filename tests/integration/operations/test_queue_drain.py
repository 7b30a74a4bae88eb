"""`manage.py queue drain` over a real Celery worker that has a request in hand."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
import redis
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.engine.engine import Engine
from apps.engine.functions import FunctionSpec
from apps.engine.store.requests import RerunRequest
from apps.operations.services.workers import worker_states

ROOT = Path(__file__).resolve().parents[3]
NAME = "drained@test"


class SlowApp(ThreadingHTTPServer):
    """Answers a call with the function's result, once it may."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.may_answer = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class _Call(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, SlowApp)
        self.server.may_answer.wait(30)
        body = b'"done"'
        self.send_response(200)
        for name, value in {"Content-Type": "application/json", "X-Inngest-SDK": "py:v0.5.19"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def app() -> Iterator[SlowApp]:
    server = SlowApp()
    yield server
    server.may_answer.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def worker(redis_url: str, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The name of a worker, once it answers."""
    settings.REDIS_URL = settings.CELERY_BROKER_URL = redis_url
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_DATA_DIR": str(tmp_path),
        "STEPWELL_ROLES": "worker",
        "REDIS_URL": redis_url,
    }
    options = ("-P", "threads", "-c", "1", "--without-gossip", "--without-mingle", "-l", "error")
    command = (sys.executable, "-m", "celery", "-q", "-A", "config", "worker", *options, "-n", NAME)
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until(lambda: worker_states([NAME]))
        yield NAME
    finally:
        process.terminate()
        process.wait(timeout=20)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start_run(url: str, app: SlowApp) -> str:
    address = f"http://127.0.0.1:{app.server_port}/api?fnId=app-f1&stepId=step"
    spec = FunctionSpec("f1", "app-f1", "f1", "a1", "app", "env", "acc", 1, address)

    async def run() -> str:
        engine = await Engine.connect(url, "0")
        await engine.publish_functions([spec])
        run_id = await engine.rerun(RerunRequest("env", "f1", [b'{"data":{}}'], ["01E"], ["e"], ""))
        await engine.close()
        return run_id

    return asyncio.run(run())


def drain(*arguments: str) -> tuple[int, list[str], str]:
    """(exit code, lines, errors)"""
    out, err = StringIO(), StringIO()
    try:
        call_command("queue", "drain", *arguments, stdout=out, stderr=err)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue().splitlines(), err.getvalue()


def test_a_worker_is_drained_when_it_has_nothing_in_hand(
    worker: str, app: SlowApp, redis_url: str, redis_client: "redis.Redis"
) -> None:
    start_run(redis_url, app)
    until(lambda: worker_states([worker])[worker].held == 1)

    code, lines, problem = drain("--worker", worker, "--timeout", "0")
    assert (code, lines[0]) == (1, f"{worker}: draining")
    assert lines[1].startswith(f"{worker}: 1 in hand, the oldest for ")
    assert problem == "Error: the time is up; the workers go on draining\n"

    app.may_answer.set()
    code, lines, problem = drain("--timeout", "30")
    assert (code, lines[-1], problem) == (0, f"{worker}: nothing in hand", "")
    assert redis_client.zcard("{q:0}:leases") == 0

    waiting = start_run(redis_url, app)
    assert redis_client.exists(f"{{q:0}}:run:{waiting}") == 1
    assert worker_states([worker])[worker].held == 0
    assert drain("--worker", worker, "--resume") == (0, [f"{worker}: leasing"], "")
    until(lambda: not redis_client.exists(f"{{q:0}}:run:{waiting}"))


def test_nobody_answers(redis_url: str, settings: Settings) -> None:
    settings.REDIS_URL = settings.CELERY_BROKER_URL = redis_url
    assert drain() == (2, [], "Error: no worker answers\n")
    assert drain("--worker", "w@h") == (2, [], "Error: the worker w@h does not answer\n")
