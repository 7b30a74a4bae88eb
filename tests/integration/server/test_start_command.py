"""`manage.py start` as a person starts it: what it refuses, one life on embedded services, and its end.

PostgreSQL and Redis are met by `make test-e2e-server`.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.devserver.waiting import is_running, wait_for

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"STEPWELL_SIGNING_KEY": "signkey-prod-0123456789abcdef", "STEPWELL_EVENT_KEYS": "an-event-key"}
SECRETS = ("0123456789abcdef", "an-event-key", "a-token", "a-secret-of-this-test")
READY = re.compile(r'"msg": "Stepwell is ready at (http://127\.0\.0\.1:\d+)"')
ROLES = ("web", "worker", "scheduler")


def start(folder: Path, *flags: str, **changed: str) -> "subprocess.Popen[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "STEPWELL_SECRET_KEY": "a-secret-of-this-test-0123456789-0123456789-0123456789",
        "STEPWELL_ALLOWED_HOSTS": "stepwell.test",
        "STEPWELL_METRICS_TOKEN": "a-token",
        "STEPWELL_DRAIN_SECONDS": "1",
        **changed,
    }
    command = [sys.executable, str(ROOT / "manage.py"), "start", "--data-dir", str(folder / "data")]
    with (folder / "log").open("w") as log:
        return subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0", *flags],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )


def log_of(folder: Path) -> str:
    return (folder / "log").read_text()


@pytest.mark.parametrize(
    ("flags", "changed", "problem"),
    [
        (("--signing-key", "abc"), {}, "signing-key must be hex string with even number of chars"),
        ((), {"STEPWELL_EVENT_KEYS": ""}, "at least one event-key is required"),
        ((), {"STEPWELL_SIGNING_KEY": ""}, "signing-key is required"),
        (
            (),
            {"STEPWELL_SECRET_KEY": ""},
            "STEPWELL_SECRET_KEY must be a secret of at least 32 characters",
        ),
        (
            (),
            {"STEPWELL_ALLOWED_HOSTS": ""},
            "STEPWELL_ALLOWED_HOSTS must name the hosts that this server answers to",
        ),
        (
            ("--postgres-uri", "postgres://h/d", "--postgres-max-open-conns", "1"),
            {},
            "postgres-max-open-conns (1) must be greater than 1",
        ),
    ],
)
def test_what_it_refuses(
    tmp_path: Path, flags: tuple[str, ...], changed: dict[str, str], problem: str
) -> None:
    process = start(tmp_path, *flags, **{**KEYS, **changed})
    assert process.wait(60) == 1
    assert log_of(tmp_path) == f"Error: {problem}\n"


@pytest.mark.timeout(120)
def test_without_keys_it_needs_organisations(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert process.wait(100) == 1
    last = log_of(tmp_path).splitlines()[-1]
    assert last == "Error: signing-key is required (or start with --setup to make the first organisation)"


@pytest.fixture
def server(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = start(tmp_path, **KEYS)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait(10)


def objects(folder: Path) -> list[dict[str, Any]]:
    """Every line is an object."""
    return [json.loads(line) for line in log_of(folder).splitlines()]


@pytest.mark.timeout(240)
def test_a_life(tmp_path: Path, server: "subprocess.Popen[str]") -> None:
    wait_for(lambda: bool(READY.search(log_of(tmp_path))) or server.poll() is not None, "the ready line", 100)
    found = READY.search(log_of(tmp_path))
    assert found, log_of(tmp_path)
    with httpx.Client(base_url=found[1], timeout=30) as http:
        check_health(http)
        check_keys(http)
        check_metrics(http)
        check_pages(http)
    check_lines(tmp_path)
    check_end(tmp_path, server)


def check_health(http: httpx.Client) -> None:
    answer = http.get("/health/ready?roles=web,worker,scheduler")
    assert answer.json() == {
        "status": 200,
        "message": "OK",
        "checks": {"database": True, "redis": True},
        "roles": {"worker": True, "scheduler": True},
    }
    assert answer.headers["X-Inngest-Server-Kind"] == "cloud"


def check_keys(http: httpx.Client) -> None:
    """The keys of the environment are those of the default account's environment."""
    event = {"name": "shop/sold", "data": {"private": "payload-of-this-test"}}
    assert http.post("/e/wrong", json=event).status_code == 401
    assert http.post("/e/an-event-key", json=event).status_code == 200
    assert http.get("/v1/events").status_code == 401
    bearer = {"Authorization": f"Bearer {KEYS['STEPWELL_SIGNING_KEY']}"}
    assert http.get("/v1/events", headers=bearer).status_code == 200


def check_metrics(http: httpx.Client) -> None:
    """Web, the worker and the scheduler tell of themselves in one place."""
    assert http.get("/metrics").status_code == 401

    def metrics() -> Mapping[tuple[str, str], float]:
        text = http.get("/metrics", headers={"Authorization": "Bearer a-token"}).text
        return {
            (sample.name, sample.labels.get("status") or sample.labels.get("role", "")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    wait_for(lambda: metrics().get(("stepwell_events_total", "accepted")) == 1, "the event's count", 30)
    found = metrics()
    assert found["stepwell_refused_requests_total", "401"] >= 1
    assert {role for name, role in found if name == "stepwell_process_resident_bytes"} == set(ROLES)


def check_pages(http: httpx.Client) -> None:
    """Nobody has signed in; and a host that is not ours gets nothing."""
    page = http.get("/runs", follow_redirects=True)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert http.get("/runs", headers={"Host": "evil.test"}).status_code == 400


def check_lines(folder: Path) -> None:
    lines = objects(folder)
    assert all({"time", "level", "msg", "caller"} <= set(line) for line in lines)
    requests = [line for line in lines if line["caller"] == "stepwell.requests"]
    assert {"method", "route", "status", "duration_ms", "request_id"} <= set(requests[0])
    text = log_of(folder)
    assert [word for word in (*SECRETS, "payload-of-this-test") if word in text] == []


def check_end(folder: Path, server: "subprocess.Popen[str]") -> None:
    ids = [int((folder / "data" / "run" / f"{role}.pid").read_text()) for role in (*ROLES, "valkey")]
    server.send_signal(signal.SIGTERM)
    assert server.wait(40) == 0
    assert [process_id for process_id in ids if is_running(process_id)] == []
