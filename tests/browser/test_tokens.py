"""Personal tokens in the browser: made, copied once, and revoked; each page in both themes and on a phone."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.organisations import Organisations, running
from tests.browser.outlines import outline_problems
from tests.browser.seed_tenants import PASSWORD
from tests.browser.test_accessibility import violations


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("tokens"), redis_server) as site:
        yield site


def _is_good(page: Page) -> None:
    assert (page.url, violations(page), outline_problems(page)) == (page.url, [], [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def _confirm(page: Page) -> None:
    """Once; the session remembers for some minutes."""
    if page.get_by_role("heading", name="Confirm that it is you").is_visible():
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
)
def test_a_token_is_made_copied_and_revoked(
    organisations: Organisations, browser: Browser, scheme: Literal["light", "dark"], width: int
) -> None:
    context = organisations.visit(
        browser, "bob", color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 844}
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{organisations.url}/profile")
    page.get_by_role("link", name="Tokens", exact=True).click()
    expect(page.get_by_role("heading", name="You have no personal tokens")).to_be_visible()
    _is_good(page)

    page.get_by_role("link", name="New token").click()
    _confirm(page)
    expect(page.get_by_role("heading", name="New personal token")).to_be_visible()
    view = page.get_by_label("See apps, functions and settings (view)")
    expect(view).to_be_hidden()
    page.get_by_label("Name").fill("laptop")
    page.get_by_label("May", exact=True).select_option(label="What I choose")
    expect(view).to_be_visible()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Tick at least one permission.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("laptop")
    expect(view).to_be_focused()
    _is_good(page)

    view.check()
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", name="“laptop” is made")).to_be_visible()
    _is_good(page)
    plaintext = page.locator("#token-value").inner_text()
    page.get_by_role("button", name="Copy the token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == plaintext

    page.get_by_role("link", name="Done").click()
    row = page.locator(".own-row", has_text="laptop")
    expect(row).to_contain_text("never used")
    assert plaintext not in page.content()
    _is_good(page)
    row.get_by_role("link", name="Revoke laptop").click()
    expect(page.get_by_role("heading", name="Revoke “laptop”?")).to_be_visible()
    _is_good(page)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("laptop is revoked.")).to_be_visible()
    expect(page.get_by_role("heading", name="You have no personal tokens")).to_be_visible()
    context.close()
