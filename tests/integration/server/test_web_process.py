"""`python -m apps.server.role web`: as a Procfile or a container runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import free_port
from tests.integration.devserver.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]


def is_live(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_it_serves_and_a_stop_that_was_asked_for_is_no_failure(tmp_path: Path, redis_url: str) -> None:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_SECRET_KEY": "a-secret-of-this-test-0123456789-0123456789-0123456789",
        "STEPWELL_BASE_URL": "https://stepwell.test",
        "STEPWELL_TRUSTED_PROXIES": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
    }
    command = [sys.executable, "-m", "apps.server.role", "web", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_live(port), "the web process", 60)
        check_redirects(f"http://127.0.0.1:{port}")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)


def check_redirects(url: str) -> None:
    """Pages are https only; the interfaces of apps answer by http, too; a trusted proxy's word counts."""
    page = httpx.get(f"{url}/nothing", headers={"Host": "stepwell.test"})
    assert (page.status_code, page.headers["Location"]) == (301, "https://stepwell.test/nothing")
    assert httpx.get(f"{url}/v1/nothing").status_code in (401, 404)
    proxied = {"Host": "stepwell.test", "X-Forwarded-Proto": "https"}
    answer = httpx.get(f"{url}/v1/nothing", headers=proxied)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
