"""What a person does on the pages: look, filter, open, confirm, send, copy, use the keyboard."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site
from tests.browser.seed_history import step_key

CHARGE_CARD = f"~{step_key('charge-card')}"


def test_the_list_shows_runs_and_leads_to_one(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/")
    expect(page).to_have_url(f"{site.url}/runs")
    rows = page.locator("#runs-list tbody tr")
    expect(rows).to_have_count(50)
    expect(rows.nth(1)).to_contain_text("Running")
    rows.nth(1).get_by_role("link").click()
    expect(page).to_have_url(f"{site.url}/runs/{ids.RUNNING_RUN}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fulfil order")


def test_older_and_newer_pages(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    first = page.locator("tbody tr").first.get_attribute("id")
    page.get_by_role("link", name="Older").click()
    expect(page.locator(f"[id='{first}']")).to_have_count(0)
    page.get_by_role("link", name="Newer").click()
    expect(page.locator(f"[id='{first}']")).to_have_count(1)


def test_a_filter_changes_rows_and_url_and_survives_back_and_reload(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.get_by_text("Failed", exact=True).first.click()
    expect(page).to_have_url(f"{site.url}/runs?status=failed")
    page.get_by_label("Function", exact=True).select_option("billing-service-charge-card")
    expect(page).to_have_url(f"{site.url}/runs?status=failed&function=billing-service-charge-card")
    expect(page.locator("tbody tr")).to_have_count(26)
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(26)
    expect(page.get_by_role("checkbox", name="Failed")).to_be_checked()
    page.go_back()
    expect(page).to_have_url(f"{site.url}/runs?status=failed")
    page.get_by_role("link", name="Clear").click()
    expect(page).to_have_url(f"{site.url}/runs")
    expect(page.get_by_role("link", name="Clear")).to_be_hidden()


# What a button says for a moment stays until `said` is called, however slow the machine is.
HOLD_WHAT_IS_SAID = """
  window.said = [];
  const later = window.setTimeout;
  window.setTimeout = (then, ms, ...rest) => ms === 1500 ? window.said.push(then) : later(then, ms, ...rest);
"""
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
FORGET = "said.splice(0).forEach(then => then())"


def _copy_button(site: Site, page: Page) -> Locator:
    """That of a running run's id, on the list."""
    page.add_init_script(HOLD_WHAT_IS_SAID)
    page.goto(f"{site.url}/runs")
    button = page.locator(f"[id='run-{ids.RUNNING_RUN}'] [data-controller~=copy]")
    expect(button).to_have_accessible_name(re.compile("^Copy run id 01JZ"))
    return button


def test_an_id_is_copied(site: Site, context: BrowserContext, page: Page) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = _copy_button(site, page)
    button.click()
    expect(button).to_have_accessible_name(re.compile("^Copied 01JZ"))
    assert page.evaluate("navigator.clipboard.readText()") == ids.RUNNING_RUN
    expect(page).to_have_url(f"{site.url}/runs")
    page.evaluate(FORGET)
    expect(button).to_have_accessible_name(re.compile("^Copy run id 01JZ"))


def test_an_id_is_copied_where_a_page_has_no_clipboard_api(site: Site, page: Page) -> None:
    """As on any server that is reached over plain HTTP."""
    page.add_init_script(NO_CLIPBOARD)
    button = _copy_button(site, page)
    button.click()
    expect(button).to_have_accessible_name(re.compile("^Copied 01JZ"))
    expect(button).to_be_focused()
    page.goto(f"{site.url}/events")
    page.get_by_label("Event name", exact=True).focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_label("Event name", exact=True)).to_have_value(ids.RUNNING_RUN)


def test_a_copy_that_the_browser_refuses_is_told(site: Site, page: Page) -> None:
    page.add_init_script(NO_CLIPBOARD)
    page.add_init_script("document.execCommand = () => false")
    button = _copy_button(site, page)
    button.click()
    expect(button).to_have_accessible_name(re.compile("^Could not copy 01JZ"))
    expect(button).not_to_have_attribute("data-copied", "")
    page.evaluate(FORGET)
    expect(button).to_have_accessible_name(re.compile("^Copy run id 01JZ"))


@pytest.mark.parametrize(("is_copied", "said"), [("true", "Copied"), ("false", "Could not copy")])
def test_a_live_update_does_not_take_back_what_came_of_a_copy(
    site: Site, page: Page, is_copied: str, said: str
) -> None:
    page.add_init_script(NO_CLIPBOARD)
    page.add_init_script(f"document.execCommand = () => {is_copied}")
    button = _copy_button(site, page)
    row = page.locator(f"[id='run-{ids.RUNNING_RUN}']")
    update = row.evaluate("row => row.outerHTML").replace("data-row", "data-updated data-row", 1)
    button.click()
    expect(button).to_have_accessible_name(re.compile(f"^{said} 01JZ"))
    row.evaluate("(row, update) => { Idiomorph.morph(row, update); }", update)
    expect(row).to_have_attribute("data-updated", "")
    expect(button).to_have_accessible_name(re.compile(f"^{said} 01JZ"))
    page.evaluate(FORGET)
    expect(button).to_have_accessible_name(re.compile("^Copy run id 01JZ"))


def test_a_step_opens_in_place_and_stays_open_on_reload(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.FAILED_RUN}")
    row = page.locator(f"[id='row-{CHARGE_CARD}']")
    expect(row).to_contain_text("3 retries")
    row.get_by_role("link").first.click()
    expect(row).to_contain_text("402 Payment Required")
    expect(row.get_by_role("link").first).to_have_attribute("aria-expanded", "true")
    page.reload()
    expect(row).to_contain_text("402 Payment Required")
    row.get_by_role("link").first.click()
    expect(row).not_to_contain_text("402 Payment Required")
    expect(page).to_have_url(f"{site.url}/runs/{ids.FAILED_RUN}")


def test_bars_say_their_figures_on_hover_and_focus(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.COMPLETED_RUN}")
    row = page.locator("[id$='-link']", has_text="reserve-stock")
    row.hover()
    expect(page.locator(".tooltip")).to_contain_text("Took 615 ms")
    page.locator("h1").hover()
    expect(page.locator(".tooltip")).to_be_hidden()


def test_json_folds(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.COMPLETED_RUN}")
    block = page.locator("#run-output")
    expect(block.get_by_text('"parcel"')).to_be_visible()
    fold = block.get_by_role("button", name="Fold these lines").nth(1)
    fold.click()
    expect(block.get_by_text('"customerId"')).to_be_hidden()
    expect(block.get_by_text('"parcel"')).to_be_visible()
    fold.click()
    expect(block.get_by_text('"customerId"')).to_be_visible()


def test_cancelling_asks_first_and_escape_keeps_the_run(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.RUNNING_RUN}")
    page.get_by_role("link", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("link", name="Cancel").click()
    dialog.get_by_role("link", name="Keep it running").click()
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(f"{site.url}/runs/{ids.RUNNING_RUN}")


def test_an_event_is_sent_and_a_bad_one_is_explained(site: Site, page: Page, problems: list[str]) -> None:
    page.goto(f"{site.url}/runs")
    page.get_by_role("link", name="Send event").click()
    editor = page.get_by_label("Event", exact=True)
    expect(editor).to_be_focused()
    editor.fill('{"name": "a", "data": 7}')
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_have_text("event data must be an object")
    expect(editor).to_have_value('{"name": "a", "data": 7}')
    assert [problem for problem in problems if "422" not in problem] == []
    problems.clear()
    editor.fill('{"name": "shop/order.placed", "data": {"orderId": "B-1"}}')
    page.get_by_role("dialog").get_by_role("button", name="Send event").click()
    expect(page).to_have_url(f"{site.url}/events")
    expect(page.locator(".toast")).to_contain_text("Event sent.")


def test_the_keyboard_is_enough(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(f"[id='link-{ids.RUNNING_RUN}']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/runs/{ids.RUNNING_RUN}")
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    second = page.locator("a.timeline-bar-grid").nth(1)
    expect(second).to_be_focused()
    expect(page.locator(".tooltip")).to_be_visible()
    page.keyboard.press("Enter")
    expect(second).to_have_attribute("aria-expanded", "true")
    expect(second).to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(f"{site.url}/functions")


def test_the_theme_is_kept(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    expect(page.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Theme of the system").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


@pytest.mark.parametrize(
    "path",
    [
        "/runs",
        f"/runs/{ids.LONG_RUN}",
        f"/runs/{ids.RUNNING_RUN}",
        f"/runs/{ids.BATCH_RUN}",
        f"/runs/{ids.SKIPPED_RUN}",
        "/events",
        f"/events/{ids.BUSY_EVENT}",
        f"/events/{ids.HELD_EVENT}",
        "/functions",
        "/functions/shop-fulfil-order",
        "/apps",
    ],
)
def test_no_page_scrolls_sideways_at_any_width(site: Site, page: Page, path: str) -> None:
    page.goto(f"{site.url}{path}")
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    widths = [360, 480, 768, 1024, 1440, 1920]
    too_wide = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate(overflow):
            too_wide.append(width)
    assert too_wide == []


def test_on_a_phone_the_navigation_is_a_drawer(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/runs")
    events = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Events")
    expect(events).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(events).to_be_visible()
    page.keyboard.press("Escape")
    expect(events).to_be_hidden()
    expect(page.get_by_role("button", name="Menu")).to_be_focused()
    page.get_by_role("button", name="Menu").click()
    events.click()
    expect(page).to_have_url(re.compile("/events$"))


def test_without_scripts_everything_can_be_read_and_sent(site: Site, context: BrowserContext) -> None:
    browser = context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{site.url}/runs")
    page.get_by_role("checkbox", name="Running").check(force=True)
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto(f"{site.url}/runs/{ids.FAILED_RUN}")
    page.locator("a.timeline-bar-grid", has_text="charge-card").click()
    expect(page.locator(".timeline-detail")).to_contain_text("402 Payment Required")
    page.goto(f"{site.url}/events/send")
    page.get_by_role("button", name="Send event").click()
    expect(page).to_have_url(f"{site.url}/events")
    plain.close()
