"""Keys of lists and of a run: pausing live updates, and the runs beside this one."""

from playwright.sync_api import Page, WebSocket, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site
from tests.browser.test_live import wait_until_live


def opened(page: Page, url: str) -> WebSocket:
    with page.expect_websocket() as found:
        page.goto(url)
    wait_until_live(page)
    return found.value


def hint(site: Site, socket: WebSocket, command: str) -> None:
    """Change the data, and wait until the page has been told."""
    with socket.expect_event("framereceived", lambda frame: "changed" in frame, timeout=60_000):
        site.seed(command)


def test_l_pauses_the_list_which_then_catches_up(site: Site, page: Page) -> None:
    socket = opened(page, f"{site.url}/runs")
    toggle = page.locator(".live-toggle")
    expect(toggle).to_have_accessible_name("Live: pause updates")
    page.keyboard.press("l")
    expect(toggle).to_have_accessible_name("Paused: resume updates")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    hint(site, socket, "arrive")
    assert page.evaluate("1 + 1") == 2  # what the hint set off has been asked for by now
    assert asked == []
    row = page.locator(f"[id='run-{ids.ARRIVED_RUN}']")
    expect(row).to_have_count(0)
    page.keyboard.press("l")
    expect(toggle).to_have_accessible_name("Live: pause updates")
    expect(row).to_contain_text("Running")


def test_filters_work_while_updates_are_paused(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.get_by_role("button", name="Live").click()
    page.get_by_text("Skipped", exact=True).first.click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".live-toggle")).to_contain_text("Paused")


def test_l_pauses_a_run_and_its_end_takes_the_button_away(site: Site, page: Page) -> None:
    socket = opened(page, f"{site.url}/runs/{ids.RUNNING_RUN}")
    page.keyboard.press("l")
    hint(site, socket, "progress")
    step = page.locator(".timeline-row", has_text="print-label")
    expect(step).to_have_count(0)
    page.keyboard.press("l")
    expect(step).to_be_visible()
    expect(page.locator(".live-toggle")).to_contain_text("Live")
    site.seed("finish")
    expect(page.locator(".live-toggle")).to_have_count(0)


def test_brackets_go_through_the_list_that_one_came_from(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs?status=failed&status=skipped")
    page.keyboard.press("j")
    page.keyboard.press("o")
    query = "?list=status%3Dfailed%26status%3Dskipped"
    expect(page).to_have_url(f"{site.url}/runs/{ids.SKIPPED_RUN}{query}")
    page.keyboard.press("[")
    expect(page.locator(".toast")).to_contain_text("This is the first run of the list.")
    page.keyboard.press("]")
    expect(page).to_have_url(f"{site.url}/runs/{ids.FAILED_RUN}{query}")
    page.locator("a.timeline-bar-grid", has_text="charge-card").click()
    expect(page.locator(".timeline-detail")).to_be_visible()
    page.keyboard.press("[")
    expect(page).to_have_url(f"{site.url}/runs/{ids.SKIPPED_RUN}{query}")
    page.get_by_role("link", name="Next run of the list").click()
    expect(page).to_have_url(f"{site.url}/runs/{ids.FAILED_RUN}{query}")
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Runs").click()
    expect(page).to_have_url(f"{site.url}/runs?status=failed&status=skipped")


def test_the_sheet_tells_the_keys_that_the_page_has(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.FAILED_RUN}")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Previous, next run of the list")
    expect(keys.get_by_text("Pause or resume live updates")).to_be_hidden()
    page.goto(f"{site.url}/runs")
    page.keyboard.press("?")
    expect(keys.get_by_text("Pause or resume live updates")).to_be_visible()
    expect(keys.get_by_text("Previous, next run of the list")).to_be_hidden()


def ticked(page: Page) -> list[str]:
    found: list[str] = page.locator("[data-select]:checked").evaluate_all("all => all.map(box => box.value)")
    return found


def test_x_selects_and_shift_x_up_to_the_row(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs?status=completed&status=cancelled&status=skipped")
    order = page.locator("[data-select]").evaluate_all("all => all.map(box => box.value)")
    bar = page.get_by_role("region", name="Selected runs")
    expect(bar).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("1 selected")
    for key in ("j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(bar).to_contain_text("3 selected")
    assert ticked(page) == order[:3]
    page.keyboard.press("x")
    assert ticked(page) == order[:2]
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert ticked(page) == []


def test_boxes_select_by_mouse_and_keys_go_on_from_there(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs?status=failed")
    boxes = page.locator("[data-select]")
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    expect(page.get_by_role("region", name="Selected runs")).to_contain_text("3 selected")
    page.keyboard.press("j")
    expect(page.locator(".row-link").nth(4)).to_be_focused()
    everything = page.get_by_role("checkbox", name="Select all runs of this page")
    assert everything.evaluate("box => box.indeterminate")
    everything.click()
    assert len(ticked(page)) == boxes.count()
    everything.click()
    assert ticked(page) == []


def test_a_selection_outlives_updates_and_leads_to_its_question(site: Site, page: Page) -> None:
    socket = opened(page, f"{site.url}/runs")
    page.get_by_role("checkbox", name=f"Select run {ids.QUEUED_RUN}").click()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "runs-list"):
        hint(site, socket, "arrive-another")
    expect(page.locator(f"[id='run-{ids.ANOTHER_RUN}']")).to_be_visible()
    assert ticked(page) == [ids.QUEUED_RUN]
    page.get_by_role("link", name="Cancel runs").click()
    dialog = page.get_by_role("dialog", name="Cancel this run?")
    expect(dialog).to_contain_text("Charge card (1)")
    dialog.get_by_role("link", name="Keep running").click()
    expect(dialog).to_be_hidden()
    assert ticked(page) == [ids.QUEUED_RUN]
