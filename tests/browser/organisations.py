"""A server in server mode with two organisations, and browsers in which its people have signed in."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from tests.browser.conftest import ROOT, START_SECONDS
from tests.conftest import free_port
from tests.migrated import copy_migrated


@dataclass(frozen=True)
class Organisations:
    """`sessions` are session keys by name: alice, bob, audrey."""

    url: str
    environment: dict[str, str]
    sessions: dict[str, str]

    @property
    def production(self) -> str:
        return f"{self.url}/o/acme/env/production"

    @property
    def acme(self) -> str:
        return f"{self.url}/o/acme"

    def visit(self, browser: Browser, name: str, **options: object) -> BrowserContext:
        """A browser in which that person has signed in."""
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        context.add_cookies([{"name": "sessionid", "value": self.sessions[name], "url": self.url}])
        return context


def environment_of(folder: Path, redis_url: str, port: int) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_MODE": "server",
        "STEPWELL_SIGNING_KEY": "signkey-prod-" + "cd" * 32,
        "STEPWELL_EVENT_KEYS": "an-event-key",
        "STEPWELL_BASE_URL": f"http://127.0.0.1:{port}",
        "STEPWELL_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
    }


@contextmanager
def running(folder: Path, redis_url: str, port: int = 0) -> Iterator[Organisations]:
    port = port or free_port()
    environment = environment_of(folder, redis_url, port)
    copy_migrated(folder / "site.sqlite3")
    seeded = subprocess.run(
        [sys.executable, "-m", "tests.browser.seed", "tenants"],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
    )
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    try:
        site = Organisations(f"http://127.0.0.1:{port}", environment, json.loads(seeded.stdout))
        _wait_until_up(f"{site.url}/sign-in")
        yield site
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
