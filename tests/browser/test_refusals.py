"""Refused requests on the events page: from a bad request to the row that tells of it."""

import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_accessibility import themed, violations

__all__ = ["themed"]

# Refusals reach Redis within a second; the panel asks every five.
SOON_MS = 15_000
UNHEARD_OF = '{"name": "inngest/unheard-of"}'


def post(url: str, body: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), method="POST"), timeout=10):
            return 200
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_bad_request_appears_by_itself_and_stays_open(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/events")
    panel = page.locator("#refused")
    assert [post(f"{site.url}/e/a-key-nobody-shows", UNHEARD_OF) for _ in range(3)] == [400] * 3
    row = panel.locator("tr", has_text="Event name is reserved for internal use")
    expect(panel).to_be_visible(timeout=SOON_MS)
    expect(row).to_be_hidden()
    panel.locator("summary").click()
    expect(row.locator(".number")).to_have_text("3", timeout=SOON_MS)
    expect(row).to_contain_text("POST /e/…")
    assert post(f"{site.url}/e/a-key-nobody-shows", UNHEARD_OF) == 400
    expect(row.locator(".number")).to_have_text("4", timeout=SOON_MS)
    expect(row).to_be_visible()
    for secret in ("unheard-of", "nobody-shows"):
        assert secret not in page.content()


def test_the_keyboard_opens_it(site: Site, page: Page) -> None:
    site.seed("refusals")
    page.goto(f"{site.url}/events")
    page.locator("#refused summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("key ends in k3Yz")).to_be_visible()


def test_it_fits_every_width(site: Site, page: Page) -> None:
    site.seed("refusals")
    page.goto(f"{site.url}/events?refused=1")
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    too_wide = []
    for width in (360, 480, 768, 1024, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(overflow):
            too_wide.append(width)
    assert too_wide == []


@pytest.mark.parametrize("width", [390, 1280])
def test_it_has_no_serious_violation(site: Site, themed: Page, width: int) -> None:
    site.seed("refusals")
    themed.set_viewport_size({"width": width, "height": 900})
    themed.goto(f"{site.url}/events?refused=1")
    expect(themed.get_by_text("key ends in k3Yz")).to_be_visible()
    assert violations(themed) == []
