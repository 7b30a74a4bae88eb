"""A real server (uvicorn, a database of its own, the tests' Valkey) and a real Chromium."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.conftest import free_port
from tests.migrated import copy_migrated

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.needs_chromium)
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"))


@dataclass(frozen=True)
class Site:
    url: str
    environment: dict[str, str]

    def seed(self, command: str) -> None:
        """Change the data under the open page (tests/browser/seed.py)."""
        run_python(self.environment, "-m", "tests.browser.seed", command)


def run_python(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, timeout=120)


def _environment(folder: Path, redis_url: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
    }


def _serve(folder: Path, redis_url: str, *, seeded: bool) -> Iterator[Site]:
    environment, port = _environment(folder, redis_url), free_port()
    copy_migrated(folder / "site.sqlite3")
    if seeded:
        run_python(environment, "-m", "tests.browser.seed")
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "warning"], cwd=ROOT, env=environment
    )
    try:
        site = Site(f"http://127.0.0.1:{port}", environment)
        _wait_until_up(f"{site.url}/runs", time.monotonic() + START_SECONDS)
        yield site
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_until_up(url: str, deadline: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Site]:
    """A server with the whole seed; each module of tests has its own."""
    yield from _serve(tmp_path_factory.mktemp("site"), redis_server, seeded=True)


@pytest.fixture(scope="module")
def empty_site(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Site]:
    yield from _serve(tmp_path_factory.mktemp("empty"), redis_server, seeded=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def problems() -> list[str]:
    """Errors of the console and of scripts; what a test expects it takes out."""
    return []


@pytest.fixture
def page(context: BrowserContext, problems: list[str]) -> Iterator[Page]:
    """A page that must not have written an error to the console when the test is over."""
    page = context.new_page()
    page.on("console", lambda message: _note(problems, message))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert problems == []


def _note(problems: list[str], message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        problems.append(message.text)
