"""A service asks for a webhook, a person approves it, and the browser goes back there with the URL."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.organisations import Organisations, running
from tests.browser.test_accessibility import violations


class _Service(BaseHTTPRequestHandler):
    """Goes on to another of its hosts, as many do."""

    def do_GET(self) -> None:
        is_done = self.path.startswith("/done")
        self.send_response(200 if is_done else 302)
        if not is_done:
            self.send_header("Location", self.path.replace("/connected", "/done", 1))
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Connected</title><link rel=icon href=data:,>")

    def log_message(self, *_: object) -> None:
        """Nothing: the test looks at where the browser is."""


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("intent"), redis_server) as found:
        yield found


@pytest.fixture
def alice(organisations: Organisations, browser: Browser) -> Iterator[Page]:
    context = organisations.visit(browser, "alice", viewport={"width": 390, "height": 844}, has_touch=True)
    page, problems = context.new_page(), list[str]()
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def _link(organisations: Organisations, service: str) -> str:
    back = quote(f"{service}/connected?state=7", safe="")
    return f"{organisations.url}/intent/create-webhook?name=Acme+Billing&redirect_uri={back}"


def test_a_webhook_is_approved(organisations: Organisations, alice: Page, service: str) -> None:
    alice.goto(_link(organisations, service))
    expect(alice.get_by_role("heading", level=1)).to_have_text("Acme Billing wants to send events here")
    assert violations(alice) == []
    assert alice.evaluate("document.documentElement.scrollWidth") <= 390
    alice.get_by_label("Environment").select_option("Staging")
    expect(alice).to_have_url(re.compile("/o/acme/env/staging/intent/create-webhook"))
    prefix = alice.get_by_label("Names of its events begin with")
    expect(prefix).to_have_value("acme-billing")
    prefix.fill("billing")
    alice.get_by_role("button", name="Create webhook").click()
    expect(alice).to_have_url(re.compile(f"^{re.escape(service)}/done"))
    answered = parse_qs(urlsplit(alice.url).query)
    assert answered["state"] == ["7"]
    assert re.fullmatch(rf"{re.escape(organisations.url)}/e/[\w-]{{86}}", answered["url"][0])


def test_a_webhook_is_declined(organisations: Organisations, alice: Page, service: str) -> None:
    alice.goto(_link(organisations, service))
    alice.get_by_role("link", name="Cancel").click()
    expect(alice).to_have_url(f"{service}/done?state=7&error=user_cancelled")


def test_a_broken_link_is_a_page(organisations: Organisations, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        context = organisations.visit(browser, "alice", color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{organisations.url}/intent/create-webhook?name=A&redirect_uri=http://evil.example/")
        expect(page.get_by_role("alert")).to_contain_text("The redirect_uri is not encrypted")
        assert violations(page) == []
        context.close()
