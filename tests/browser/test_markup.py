"""What tenants name is text in a real browser, too (docs/THREAT_MODEL.md)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Dialog

from tests.browser.conftest import ROOT, START_SECONDS, _wait_until_up
from tests.browser.test_identity import _environment
from tests.conftest import free_port
from tests.migrated import copy_migrated


@dataclass(frozen=True)
class HostileSite:
    url: str
    session: str
    paths: list[str]


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[HostileSite]:
    folder, port = tmp_path_factory.mktemp("hostile"), free_port()
    environment = _environment(folder, redis_server, port)
    copy_migrated(folder / "site.sqlite3")
    seed = [sys.executable, "-m", "tests.browser.seed_hostile"]
    seeded = subprocess.run(seed, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    found = json.loads(seeded.stdout.splitlines()[-1])
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    try:
        url = f"http://localhost:{port}"
        _wait_until_up(f"{url}/health/live", time.monotonic() + START_SECONDS)
        yield HostileSite(url, found["session"], found["paths"])
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_nothing_that_tenants_name_runs(hostile_site: HostileSite, browser: Browser) -> None:
    """Each page is opened by the owner; the markup would mark the document."""
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": hostile_site.session, "url": hostile_site.url}])
    page = context.new_page()
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    shown = 0
    for path in hostile_site.paths:
        if "/payload" in path:  # a download, not a page
            continue
        page.goto(hostile_site.url + path, wait_until="load")
        assert page.locator("body[id='7']").count() == 0, path
        assert page.locator("img[src=x]").count() == 0, path
        shown += "onerror=document" in (page.locator("body").text_content() or "")
    assert dialogs == []
    assert shown > 10, "the markup is on hardly any page"
    context.close()
