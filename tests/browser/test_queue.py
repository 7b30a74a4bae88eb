"""The queue on a function's page: pausing, resuming, and cancelling runs only when that was meant."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

URL = "/functions/shop-import-products"


def test_a_function_is_paused_and_resumed(site: Site, page: Page) -> None:
    page.goto(f"{site.url}{URL}")
    panel = page.locator("#function-queue")
    panel.get_by_role("link", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause", exact=True).click()
    expect(panel.get_by_text("Paused", exact=True)).to_be_visible()
    expect(panel.get_by_text("The function is paused")).to_be_visible()
    panel.get_by_role("button", name="Resume").click()
    expect(panel.get_by_role("link", name="Pause")).to_be_visible()
    expect(panel.get_by_text("Paused", exact=True)).to_have_count(0)


def test_cancelling_needs_a_second_press(site: Site, page: Page) -> None:
    page.goto(f"{site.url}{URL}")
    page.locator("#function-queue").get_by_role("link", name="Pause").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("are cancelled immediately").check()
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(dialog.get_by_role("heading")).to_have_text("Cancel the runs of Import products?")
    dialog.get_by_role("link", name="Keep them").click()
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile(f"{URL}$"))
    page.reload()
    expect(page.locator("#function-queue").get_by_role("link", name="Pause")).to_be_visible()
