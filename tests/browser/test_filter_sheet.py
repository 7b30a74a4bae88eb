"""Filters on phones: a sheet that sends nothing before Apply."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.conftest import Site
from tests.browser.organisations import Organisations, running
from tests.browser.test_accessibility import violations
from tests.e2e.waiting import wait_until

PHONE: ViewportSize = {"width": 390, "height": 844}
WIDTH = "document.body.getBoundingClientRect().width"
BELOW_THE_SHEET = "document.querySelector('dialog[open]').getBoundingClientRect().bottom"


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size(PHONE)
    return page


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("filters"), redis_server) as found:
        yield found


def opened(page: Page) -> Locator:
    page.get_by_role("button", name="Filters").click()
    sheet = page.get_by_role("dialog", name="Filters")
    expect(sheet).to_be_visible()
    return sheet


def test_choices_are_sent_with_apply_and_counted(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/runs")
    button = phone.get_by_role("button", name="Filters")
    expect(button).to_have_accessible_name("Filters")
    expect(phone.get_by_role("combobox", name="Time range")).to_be_hidden()
    sheet = opened(phone)
    sheet.get_by_text("Failed", exact=True).click()
    sheet.get_by_text("Cancelled", exact=True).click()
    sheet.get_by_label("App", exact=True).select_option("billing-service")
    expect(phone).to_have_url(f"{site.url}/runs")
    sheet.get_by_role("button", name="Apply").click()
    expect(sheet).to_be_hidden()
    expect(phone).to_have_url(f"{site.url}/runs?status=failed&status=cancelled&app=billing-service")
    expect(phone.locator("tbody tr")).to_have_count(26)
    expect(button).to_have_accessible_name("Filters 2 active")
    expect(button).to_be_focused()
    phone.reload()
    expect(button).to_have_accessible_name("Filters 2 active")


def test_escape_puts_the_choices_back(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/events?range=24h")
    button = phone.get_by_role("button", name="Filters")
    sheet = opened(phone)
    sheet.get_by_role("searchbox", name="Event name").fill("shop/")
    sheet.get_by_role("combobox", name="Time range").select_option("10m")
    sheet.get_by_role("checkbox", name="Internal events").check()
    phone.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_accessible_name("Filters 1 active")
    sheet = opened(phone)
    expect(sheet.get_by_role("searchbox", name="Event name")).to_have_value("")
    expect(sheet.get_by_role("combobox", name="Time range")).to_have_value("24h")
    expect(sheet.get_by_role("checkbox", name="Internal events")).not_to_be_checked()
    expect(phone).to_have_url(f"{site.url}/events?range=24h")


def test_clear_shows_everything(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/events?name=shop/&range=24h")
    opened(phone).get_by_role("link", name="Clear").click()
    expect(phone).to_have_url(f"{site.url}/events")
    expect(phone.get_by_role("button", name="Filters")).to_have_accessible_name("Filters")


def test_the_sheet_keeps_the_focus_and_is_as_wide_as_the_phone(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/runs")
    sheet = opened(phone)
    box = sheet.bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, phone.evaluate(WIDTH))
    wait_until(lambda: phone.evaluate(BELOW_THE_SHEET) == PHONE["height"])  # it slides in
    assert violations(phone) == []
    for _ in range(25):
        phone.keyboard.press("Tab")
        # Between its last element and its first, the focus is on the browser's own controls.
        assert phone.evaluate("document.activeElement.matches('body, dialog[open] *')")


def test_a_window_that_widens_has_its_filters_in_the_page(site: Site, phone: Page) -> None:
    phone.goto(f"{site.url}/runs")
    sheet = opened(phone)
    sheet.get_by_text("Failed", exact=True).click()
    phone.set_viewport_size({"width": 1280, "height": 800})
    expect(sheet).to_be_hidden()
    expect(phone.get_by_role("button", name="Filters")).to_be_hidden()
    failed = phone.get_by_role("checkbox", name="Failed")
    expect(failed).not_to_be_checked()
    phone.get_by_text("Failed", exact=True).first.click()
    expect(phone).to_have_url(f"{site.url}/runs?status=failed")


def test_without_scripts_the_filters_are_in_the_page(site: Site, browser: Browser) -> None:
    plain = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = plain.new_page()
    page.goto(f"{site.url}/runs")
    expect(page.get_by_role("button", name="Filters")).to_be_hidden()
    page.get_by_label("App", exact=True).select_option("billing-service")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(f"{site.url}/runs?function=&app=billing-service&range=")
    assert page.evaluate(f"document.documentElement.scrollWidth === {WIDTH}")
    plain.close()


def test_lists_of_an_organisation_have_it_too(organisations: Organisations, browser: Browser) -> None:
    context = organisations.visit(browser, "alice", viewport=PHONE)
    page = context.new_page()
    page.goto(f"{organisations.acme}/settings/audit")
    sheet = opened(page)
    sheet.get_by_label("Time range").select_option("7")
    sheet.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("button", name="Filters")).to_have_accessible_name("Filters 1 active")
    assert "days=7" in page.url
    page.goto(f"{organisations.acme}/env")
    sheet = opened(page)
    sheet.get_by_role("searchbox", name="Name").fill("stag")
    expect(page.get_by_text("Production", exact=True).first).to_be_attached()
    sheet.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(f"{organisations.acme}/env?q=stag")
    expect(page.get_by_role("button", name="Filters")).to_have_accessible_name("Filters 1 active")
    context.close()
