"""The frame of every page: its keys, its sidebar that folds, its bar of tabs on phones."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site

PHONE: ViewportSize = {"width": 390, "height": 844}


def test_the_sidebar_folds_by_button_and_key_and_stays_so(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    label = page.locator(".nav-label", has_text="Events")
    expect(label).to_be_visible()
    page.get_by_role("button", name="Fold the sidebar").click()
    expect(label).to_be_hidden()
    unfold = page.get_by_role("button", name="Unfold the sidebar")
    expect(unfold).to_have_attribute("aria-expanded", "false")
    page.reload()
    expect(label).to_be_hidden()
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Events").click()
    expect(page).to_have_url(f"{site.url}/events")
    page.keyboard.press("Control+b")
    expect(label).to_be_visible()
    page.reload()
    expect(label).to_be_visible()


def test_a_folded_sidebar_names_its_pages(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.keyboard.press("Control+b")
    expect(page.locator(".nav-label").first).to_be_hidden()
    links = page.locator(".sidebar .nav-link")
    titles = [link.get_attribute("title") for link in links.all()]
    assert len(titles) > 3
    assert all(titles)


def test_the_question_mark_tells_the_keys_and_focus_returns(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.keyboard.press("j")
    row = page.locator(f"[id='link-{ids.RUNNING_RUN}']")
    page.keyboard.press("j")
    expect(row).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_be_visible()
    expect(keys).to_contain_text("Next, previous row")
    expect(keys.get_by_text("Events", exact=True)).to_be_visible()
    page.keyboard.press("j")  # keys of the page rest behind a dialog
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    expect(row).to_be_focused()
    page.keyboard.press("o")
    expect(page).to_have_url(f"{site.url}/runs/{ids.RUNNING_RUN}")


def test_the_slash_goes_to_the_search_of_the_page_and_keys_rest_while_typing(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/events")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Event name")
    expect(field).to_be_focused()
    page.keyboard.type("?/gr")
    expect(field).to_have_value("?/gr")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_the_slash_searches_everything_where_a_page_has_no_search(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/apps")
    page.keyboard.press("/")
    expect(page.get_by_role("dialog", name="Search")).to_be_visible()


@pytest.mark.parametrize("name", ["Runs", "Events", "Functions", "Apps"])
def test_a_phone_has_its_main_pages_at_the_thumb(site: Site, page: Page, name: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site.url}/{'events' if name == 'Runs' else 'runs'}")
    tabs = page.get_by_role("navigation", name="Main")
    tab = tabs.get_by_role("link", name=name)
    box = tab.bounding_box()
    assert box is not None
    assert (box["height"] >= 44, box["y"] + box["height"] <= PHONE["height"]) == (True, True)
    tab.click()
    expect(page).to_have_url(f"{site.url}/{name.lower()}")
    expect(tabs.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")


def test_more_opens_the_drawer_and_escape_returns_to_it(site: Site, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site.url}/runs")
    more = page.get_by_role("button", name="More")
    more.click()
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Events")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).to_have_attribute("aria-expanded", "false")


def test_nothing_of_a_page_hides_behind_the_tabs(site: Site, page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"{site.url}/runs")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    last = page.locator(".page > *:visible").last.bounding_box()
    tabs = page.get_by_role("navigation", name="Main").bounding_box()
    assert last is not None
    assert tabs is not None
    assert last["y"] + last["height"] <= tabs["y"]


def test_wide_screens_have_no_tabs(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
