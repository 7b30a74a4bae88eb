"""Pages that change while they are open."""

from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site
from tests.e2e.waiting import wait_until


def wait_until_live(page: Page) -> None:
    expect(page.locator(".connection")).to_have_text("Live")


def test_a_new_run_appears_in_the_list_and_changes_there(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    wait_until_live(page)
    row = page.locator(f"[id='run-{ids.ARRIVED_RUN}']")
    expect(row).to_have_count(0)
    site.seed("arrive")
    expect(row).to_contain_text("Running")
    expect(page.locator("tbody tr").first).to_have_attribute("id", f"run-{ids.ARRIVED_RUN}")


def test_scrolled_away_new_runs_wait_behind_a_button(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    wait_until_live(page)
    page.mouse.wheel(0, 900)
    # Not page.wait_for_function: the policy of contents refuses its second look.
    wait_until(lambda: page.evaluate("window.scrollY > 300"))
    first = page.locator("tbody tr").first.get_attribute("id")
    site.seed("arrive-another")
    button = page.get_by_role("button", name="1 new run")
    expect(button).to_be_visible()
    expect(page.locator("tbody tr").first).to_have_attribute("id", str(first))
    button.click()
    expect(page.locator("tbody tr").first).to_have_attribute("id", f"run-{ids.ANOTHER_RUN}")
    expect(page.get_by_role("button", name="new run")).to_be_hidden()


def test_a_filtered_list_stays_filtered(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs?status=failed")
    wait_until_live(page)
    count = page.locator("tbody tr").count()
    with page.expect_response(lambda answer: "status=failed" in answer.url):
        site.seed("hint")
    expect(page.locator("tbody tr")).to_have_count(count)
    expect(page).to_have_url(f"{site.url}/runs?status=failed")


def test_an_answer_that_comes_late_does_not_close_what_was_opened_meanwhile(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.RUNNING_RUN}")
    wait_until_live(page)
    held: list[Route] = []
    page.route(f"{site.url}/runs/{ids.RUNNING_RUN}", lambda route: held.append(route))  # noqa: PLW0108 Playwright marks handlers
    with page.expect_request(lambda request: request.url.endswith(ids.RUNNING_RUN)):
        site.seed("hint")
    step = page.locator("a.timeline-bar-grid", has_text="reserve-stock")
    step.click()
    expect(step).to_have_attribute("aria-expanded", "true")
    with page.expect_response(lambda answer: answer.url.endswith(ids.RUNNING_RUN)):
        held[0].continue_()
    with page.expect_response(lambda answer: "open=" in answer.url):
        pass  # the page asks again, for what it shows now
    expect(step).to_have_attribute("aria-expanded", "true")


def test_a_run_goes_on_under_the_eyes_of_its_reader_and_ends(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs/{ids.RUNNING_RUN}")
    wait_until_live(page)
    share = "parseFloat(document.querySelector('rect.bar-ok').getAttribute('width'))"
    before = page.evaluate(share)
    wait_until(lambda: page.evaluate(share) < before)

    page.locator("a.timeline-bar-grid", has_text="reserve-stock").click()
    expect(page.locator(".timeline-detail")).to_contain_text('"reserved"')
    site.seed("progress")
    expect(page.locator(".timeline-row", has_text="print-label")).to_be_visible()
    expect(page.locator(".timeline-detail")).to_contain_text('"reserved"')

    site.seed("finish")
    expect(page.locator("#run .run-head")).to_contain_text("Completed")
    expect(page.locator("#run-output")).to_contain_text('"shipped"')
    expect(page.locator("#run-trigger")).to_contain_text("cus_9fKq2")
    expect(page.locator("#cancel-link")).to_have_count(0)
    assert page.locator("#run").get_attribute("data-live-topic") is None


def test_after_a_lost_connection_the_page_asks_again(site: Site, page: Page) -> None:
    drop: list[WebSocketRoute] = []

    def pass_through(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        drop.append(socket)

    page.route_web_socket("**/ws/live", pass_through)
    page.goto(f"{site.url}/runs")
    wait_until_live(page)
    expect(page.locator("tbody tr")).to_have_count(50)
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "runs-list"):
        drop[0].close(code=1001)
    wait_until_live(page)
    assert len(drop) == 2


def test_an_event_shows_up_without_any_run(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/events")
    site.seed("event")
    expect(page.locator("tbody tr").first).to_contain_text("shop/quiet.event")


def test_a_page_whose_session_is_over_is_asked_for_again(site: Site, page: Page) -> None:
    """In server mode that leads to the sign-in page."""
    seen: list[WebSocketRoute] = []

    def end_the_first(connection: WebSocketRoute) -> None:
        seen.append(connection)
        if len(seen) == 1:
            connection.close(code=4401)
        else:
            connection.connect_to_server()

    page.route_web_socket("**/ws/live", end_the_first)
    with page.expect_navigation(url=f"{site.url}/runs"):
        page.goto(f"{site.url}/runs")
        page.wait_for_event("framenavigated")
    wait_until_live(page)
    assert len(seen) == 2


def test_what_fails_to_load_is_told_and_can_be_asked_again(
    site: Site, page: Page, problems: list[str]
) -> None:
    page.goto(f"{site.url}/runs")
    wait_until_live(page)
    error = page.get_by_role("alert").filter(has_text="The runs could not be loaded.")
    answer = {"status": 500, "headers": {"X-Request-Id": "request-7"}}
    page.route("**/runs?status=failed*", lambda route: route.fulfill(**answer))
    page.get_by_text("Failed", exact=True).first.click()
    expect(error).to_contain_text("The server answered with an error (500).")
    expect(error).to_contain_text("Request request-7")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.unroute("**/runs?status=failed*")
    error.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(f"{site.url}/runs?status=failed")
    expect(error).to_be_hidden()
    expect(page.locator("tbody tr").first).to_contain_text("Failed")
    problems.clear()


def test_a_list_goes_on_after_an_update_that_did_not_arrive(
    site: Site, page: Page, problems: list[str]
) -> None:
    page.goto(f"{site.url}/events")
    wait_until_live(page)
    error = page.get_by_role("alert").filter(has_text="The events could not be loaded.")
    page.route("**/events", lambda route: route.abort())
    expect(error).to_contain_text("The server could not be reached.", timeout=30_000)  # it asks each 5 s
    page.unroute("**/events")
    expect(error).to_be_hidden(timeout=30_000)
    problems.clear()
