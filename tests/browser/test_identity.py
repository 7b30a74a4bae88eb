"""From the setup page of a fresh server to a passkey, as a person does it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import ROOT, START_SECONDS
from tests.browser.outlines import outline_problems
from tests.browser.test_accessibility import violations
from tests.conftest import free_port
from tests.migrated import copy_migrated

PASSWORD = "deep water runs cold"
SIGNING_KEY = "signkey-prod-" + "ab" * 32


@dataclass(frozen=True)
class Server:
    """`url` names localhost, where browsers allow passkeys without TLS."""

    url: str
    log: Path
    mail: Path

    def setup_url(self) -> str:
        return self._found_in(self.log.read_text, r"open (http\S+/setup\?token=\S+)")

    def mailed_code(self) -> str:
        """The code of the latest mail."""
        return self._found_in(self._latest_mail, r"(?m)^ {4}(\S+)$")

    def _latest_mail(self) -> str:
        files = sorted(self.mail.glob("*.log"), key=lambda path: path.stat().st_mtime_ns)
        return files[-1].read_text().rpartition("Subject:")[2] if files else ""

    def _found_in(self, read: Callable[[], str], pattern: str) -> str:
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = re.search(pattern, read())
            if found:
                return found[1]
            assert time.monotonic() < deadline, read()
            time.sleep(0.05)


def _environment(folder: Path, redis_url: str, port: int) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "STEPWELL_MODE": "server",
        "STEPWELL_SIGNING_KEY": SIGNING_KEY,
        "STEPWELL_EVENT_KEYS": "an-event-key",
        "STEPWELL_BASE_URL": f"http://localhost:{port}",
        "STEPWELL_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'site.sqlite3'}",
        "REDIS_URL": redis_url,
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    environment = _environment(folder, redis_server, port)
    copy_migrated(folder / "site.sqlite3")
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    log = folder / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream)
        try:
            yield Server(f"http://localhost:{port}", log, folder / "mail")
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser through all of this module, with a device that holds passkeys."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Its scripts raise nothing, and the policy of contents refuses nothing. Forms that are sent back with
    errors have a status of their own, which browsers note as an error of loading."""
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if "Security Policy" in said.text else None)
    yield page
    page.close()
    assert problems == []


def _with_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def _sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def _fill_password(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_fresh_server_is_set_up_by_the_link_in_its_log(page: Page, server: Server) -> None:
    link = server.setup_url()
    page.goto(f"{server.url}/runs")
    expect(page.get_by_role("heading", name="Set up this server")).to_be_visible()
    page.goto(link)
    page.get_by_label("Name of your organisation").fill("Acme")
    page.get_by_label("Your name").fill("Alice")
    page.get_by_label("Your e-mail address").fill("alice@acme.test")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("This password is too short.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    expect(page).to_have_url(f"{server.url}/o/acme/env/production/runs")
    page.goto(link)
    expect(page).not_to_have_url(re.compile("/setup"))


def test_a_passkey_is_added_and_signs_in_without_a_password(page: Page, server: Server) -> None:
    _with_authenticator(page)
    page.goto(f"{server.url}/profile/security/passkeys/add")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill("This laptop")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("1 passkey, which sign")).to_be_visible()

    _sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(f"{server.url}/o/acme/env/production/runs")

    page.goto(f"{server.url}/profile")
    _sign_out(page)
    _fill_password(page, "alice@acme.test")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{server.url}/o/acme/env/production/runs")

    page.goto(f"{server.url}/o/acme/settings/audit?family=user")
    for action in ("user.second_factor_add", "user.sign_in"):
        expect(page.get_by_text(action).first).to_be_visible()


def test_a_passkey_that_nobody_confirms_is_an_error_on_the_page(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/profile")
    _sign_out(page)
    _with_authenticator(page)  # which is new, and holds nothing
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("#passkey-problem")).to_have_text(
        "That was cancelled, or took too long.", timeout=30_000
    )


def test_someone_new_signs_up_by_a_mailed_code(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{server.url}/sign-up")
    page.get_by_label("Your name").fill("Dora")
    page.get_by_label("E-mail address").fill("dora@new.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    page.get_by_label("Code").fill(server.mailed_code())
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("heading", name="Organisations", exact=True)).to_be_visible()
    page.get_by_label("Name of the organisation").fill("New")
    page.get_by_role("button", name="Make the organisation").click()
    expect(page).to_have_url(f"{server.url}/o/new/env/production/runs")
    page.goto(f"{server.url}/o/acme/env/production/runs")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()

    other = browser.new_context()
    elsewhere = other.new_page()
    elsewhere.goto(f"{server.url}/profile")
    _fill_password(elsewhere, "dora@new.test")
    expect(elsewhere.get_by_role("heading", name="Profile")).to_be_visible()
    page.goto(f"{server.url}/profile/sessions")
    page.get_by_role("button", name=re.compile("^End the session of")).click()
    expect(page.get_by_text("That session has ended.")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    other.close()
    context.close()


OWN_PAGES = [
    "/profile",
    "/profile/email",
    "/profile/password",
    "/profile/security",
    "/profile/security/passkeys",
    "/profile/security/codes/new",
    "/profile/sessions",
    "/profile/tokens",
    "/orgs",
    "/orgs/new/sso",
    "/sign-out",
]
OPEN_PAGES = ["/sign-in", "/sign-up", "/reset", "/sign-in/sso?required=1", "/invite/none", "/nothing-here"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_and_fits(
    browser: Browser, context: BrowserContext, server: Server, scheme: Literal["light", "dark"], width: int
) -> None:
    """Both of who has signed in and of who has not."""
    page = context.new_page()
    page.goto(f"{server.url}/profile")
    if "/sign-in" in page.url:
        _fill_password(page, "dora@new.test")
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.close()
    for state, paths in ((context.storage_state(), OWN_PAGES), (None, OPEN_PAGES)):
        themed = browser.new_context(
            storage_state=state,
            color_scheme=scheme,
            reduced_motion="reduce",
            viewport={"width": width, "height": 844},
        )
        page = themed.new_page()
        for path in paths:
            page.goto(f"{server.url}{path}")
            assert (path, violations(page), outline_problems(page)) == (path, [], [])
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        themed.close()
