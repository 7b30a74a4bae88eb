"""A newcomer on a fresh server, by what the pages alone say: from the setup link in the log to a finished run
of an app with the real Python SDK. Pictures of the way are kept as artefacts."""

import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT
from tests.conftest import free_port
from tests.e2e import services
from tests.e2e.child_process import ChildProcess
from tests.e2e.server_process import StartedServer
from tests.e2e.waiting import wait_until

PICTURES = Path(os.environ.get("CI_ARTIFACTS", str(ROOT / "build" / "test-results"))) / "onboarding"
_SETUP_LINK = re.compile(r"open (http\S+/setup\?token=[\w-]+)")

pytestmark = pytest.mark.skipif(bool(services.missing()), reason=f"needs {services.missing()}")


class FreshServer(StartedServer):
    """`manage.py start`, whose keys are in the database, and which nobody has set up."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, signing_key="", event_key="")

    def _command(self, flags: Sequence[str]) -> tuple[str, ...]:
        return (*super()._command(flags), "--setup")

    def setup_link(self) -> str:
        def find() -> str | None:
            found = _SETUP_LINK.search(self.process.log_file.read_text(errors="replace"))
            return found[1] if found else None

        return wait_until(find, 30, self.process.log_tail)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshServer]:
    server = FreshServer(tmp_path_factory.mktemp("fresh"))
    yield server
    server.stop()


@pytest.fixture
def newcomer(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def _keep(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=True)


def _start_app(page: Page, folder: Path, port: int) -> ChildProcess:
    """What the first two steps say: the code of the page, and the variables that it shows."""
    folder.mkdir()
    code = page.locator("#snippet-python").text_content()
    assert code is not None
    (folder / "main.py").write_text(code)
    environment = {}
    for row in page.locator(".variables > div").all():
        name = row.locator("dt").inner_text().strip()
        reveal = row.get_by_role("button", name="Reveal")
        if reveal.count():
            reveal.click()
            expect(row.get_by_role("button", name="Reveal")).to_have_count(0)
        environment[name] = row.locator("dd code").inner_text().strip()
    assert set(environment) == {"INNGEST_BASE_URL", "INNGEST_EVENT_KEY", "INNGEST_SIGNING_KEY"}
    command = (sys.executable, "-m", "uvicorn", "main:app", "--port", str(port))
    return ChildProcess(command, environment, folder, folder / "app.log")


def test_from_setup_to_a_finished_run(fresh: FreshServer, newcomer: Page, tmp_path: Path) -> None:
    page, port = newcomer, free_port()
    page.goto(fresh.setup_link())
    page.get_by_label("Organisation").fill("Blue Heron")
    page.get_by_label("Your name").fill("Nora")
    page.get_by_label("E-mail").fill("nora@heron.test")
    page.get_by_label("Password").fill("deep water runs cold")
    _keep(page, "1-setup")
    page.locator("main button[type=submit]").click()
    expect(page).to_have_url(f"{fresh.base_url}/o/blue-heron/env/production/runs")
    expect(page.get_by_role("heading", name="Four steps to a first run")).to_be_visible()
    _keep(page, "2-first-steps")

    app = _start_app(page, tmp_path / "app", port)
    try:
        _keep(page, "3-keys-revealed")
        _wait_for_port(port, app)
        page.get_by_role("link", name="Add app").click()
        page.get_by_label("URL of the app").fill(f"http://127.0.0.1:{port}/api/inngest")
        page.get_by_role("dialog").get_by_role("button", name="Add app").click()
        expect(page).to_have_url(f"{fresh.base_url}/o/blue-heron/env/production/start")
        expect(page.locator("#first-steps-progress")).to_contain_text("shop is synced.")
        _keep(page, "4-synced")

        page.locator("#first-steps-progress").get_by_role("link", name="Send event").click()
        page.get_by_role("dialog").get_by_role("button", name="Send event").click()
        page.get_by_role("link", name="Runs", exact=True).click()
        run = page.get_by_role("link", name="order-placed")
        expect(run).to_be_visible()
        run.click()
        expect(page.locator("#run-output")).to_contain_text("INV-A-1042", timeout=60_000)
        expect(page.locator(".run-strip").get_by_text("Completed")).to_be_visible()
        _keep(page, "5-finished-run")
        page.goto(f"{fresh.base_url}/o/blue-heron/env/production/start")
        expect(page.get_by_text("The first run has finished.")).to_be_visible()
        _keep(page, "6-done")
    finally:
        app.stop()


def _wait_for_port(port: int, app: ChildProcess) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, app.log_tail()
            time.sleep(0.1)
        else:
            return
