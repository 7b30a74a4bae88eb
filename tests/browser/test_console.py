"""The operator console: accessible in both themes, at home on a phone, by keyboard, and under the policy that
allows no inline script or style. Everything is in it, with the longest names that people may give."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import run_python
from tests.browser.organisations import Organisations, running
from tests.browser.test_accessibility import violations

# What a finger may press is 44 px high, links in running text and in table cells excepted.
SHORT_TARGETS = """() => [...document.querySelectorAll(
    '.page .button, .page summary, .page .filter-chip, .task-list a, .topbar .button, .breadcrumb a')]
  .filter((target) => target.checkVisibility() && target.getBoundingClientRect().height < 44)
  .map((target) => target.textContent.trim())"""
LINKS = "links => links.map(link => link.getAttribute('href')).filter(href => href.startsWith('/admin/'))"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("console"), redis_server) as found:
        run_python(found.environment, "-m", "tests.browser.seed_console")
        run_python(found.environment, "-m", "tests.browser.seed", "long-names")
        yield found


@pytest.fixture(scope="module")
def paths(console: Organisations, browser: Browser) -> list[str]:
    """Each list, and the page of its first row."""
    context = console.visit(browser, "alice")
    page, found = context.new_page(), ["/admin/"]
    page.goto(f"{console.url}/admin/")
    lists = page.locator(".task-list a").evaluate_all(LINKS)
    for path in lists:
        page.goto(f"{console.url}{path}")
        found += [path, *page.locator(".row-link").evaluate_all(LINKS)[:1]]
    context.close()
    assert len(lists) == 19
    return found


@pytest.fixture
def operator(console: Organisations, browser: Browser, problems: list[str]) -> Iterator[Page]:
    context = console.visit(browser, "alice", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: _note(problems, message))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def _note(problems: list[str], message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        problems.append(message.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_violation(
    console: Organisations, browser: Browser, paths: list[str], scheme: str
) -> None:
    context = console.visit(browser, "alice", color_scheme=scheme, reduced_motion="reduce")
    page, found = context.new_page(), {}
    for path in paths:
        page.goto(f"{console.url}{path}")
        found[path] = violations(page)
    context.close()
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_pages_fit_a_phone_and_targets_a_finger(
    console: Organisations, browser: Browser, paths: list[str]
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    context = console.visit(browser, "alice", **phone)
    page, wide, short = context.new_page(), {}, {}
    for path in [*paths, "/admin/tenancy/account/?q=nobody"]:
        page.goto(f"{console.url}{path}")
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
        short[path] = page.evaluate(SHORT_TARGETS)
    context.close()
    assert {path: width for path, width in wide.items() if width > 390} == {}
    assert {path: targets for path, targets in short.items() if targets} == {}


def test_no_page_breaks_the_policy(console: Organisations, operator: Page, paths: list[str]) -> None:
    """`operator` fails with what the browser's console has to say."""
    for path in paths:
        answer = operator.goto(f"{console.url}{path}")
        assert answer is not None
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert operator.locator("[style], style, script:not([src]), [onclick]").count() == 0


def test_the_theme_is_chosen_where_the_dashboard_has_it(console: Organisations, operator: Page) -> None:
    operator.goto(f"{console.url}/admin/")
    ground = "getComputedStyle(document.body).backgroundColor"
    operator.get_by_role("button", name="Light theme").click()
    light = operator.evaluate(ground)
    operator.get_by_role("button", name="Dark theme").click()
    dark = operator.evaluate(ground)
    assert light != dark
    operator.goto(f"{console.url}/admin/tenancy/account/")
    assert operator.evaluate(ground) == dark
    operator.get_by_role("link", name="Back to the dashboard").click()
    operator.wait_for_url("**/runs*")
    operator.wait_for_load_state()
    assert operator.evaluate(ground) == dark


def test_the_menu_of_a_phone(console: Organisations, browser: Browser) -> None:
    context = console.visit(browser, "alice", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{console.url}/admin/")
    page.get_by_role("button", name="Menu").click()
    page.locator("#sidebar").get_by_role("link", name="Audit log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Audit log")
    context.close()


def test_by_keyboard_alone(console: Organisations, operator: Page) -> None:
    operator.goto(f"{console.url}/admin/tenancy/account/")
    operator.keyboard.press("Tab")
    expect(operator.get_by_role("link", name="Skip to content")).to_be_focused()
    operator.keyboard.press("Enter")
    operator.keyboard.press("Tab")
    search = operator.get_by_role("searchbox")
    expect(search).to_be_focused()
    operator.keyboard.type("tenant-2")
    operator.keyboard.press("Enter")
    expect(operator.locator(".row-link")).to_have_text(["Tenant 2"])
    menu = operator.locator("summary", has_text="Status")
    menu.focus()
    operator.keyboard.press("Enter")
    operator.keyboard.press("Escape")
    expect(menu).to_be_focused()
    outline = "link => getComputedStyle(link.closest('tr')).outlineStyle"
    operator.locator(".row-link").focus()
    operator.keyboard.press("Shift+Tab")
    operator.keyboard.press("Tab")
    assert operator.locator(".row-link").evaluate(outline) == "solid"
    operator.keyboard.press("Enter")
    expect(operator.get_by_role("heading", level=1)).to_have_text("Tenant 2")


def test_suspending_and_looking_into_an_organisation(console: Organisations, operator: Page) -> None:
    operator.goto(f"{console.url}/admin/tenancy/account/?q=tenant-1")
    operator.get_by_role("checkbox").check()
    operator.get_by_role("button", name="Suspend").click()
    expect(operator.get_by_role("heading", name="Suspend?")).to_be_visible()
    expect(operator.locator(".chosen")).to_have_text("Tenant 1")
    assert violations(operator) == []
    operator.get_by_role("button", name="Suspend").click()
    expect(operator.get_by_text("Suspended.")).to_be_visible()
    operator.goto(f"{console.url}/admin/tenancy/account/?q=tenant-1")
    operator.get_by_role("link", name="Tenant 1").click()
    expect(operator.locator(".badge", has_text="Suspended")).to_be_visible()
    operator.get_by_role("button", name="Look into it").click()
    operator.get_by_role("button", name="Look into it").click()
    expect(operator.get_by_text("You look into Tenant 1 as an operator")).to_be_visible()
    operator.get_by_role("button", name="End").click()
    expect(operator.get_by_role("heading", level=1)).to_have_text("Organisations")


def test_a_share_is_saved_and_refused_at_its_field(console: Organisations, operator: Page) -> None:
    operator.goto(f"{console.url}/admin/tenancy/account/?q=tenant-2")
    operator.get_by_role("link", name="Tenant 2").click()
    operator.get_by_label("Weight").fill("0")
    operator.get_by_role("button", name="Save").click()
    expect(operator.get_by_text("Nothing is saved.")).to_be_visible()
    expect(operator.get_by_text("greater than or equal to 1")).to_be_visible()
    assert violations(operator) == []
    operator.get_by_label("Weight").fill("3")
    operator.get_by_role("button", name="Save").click()
    expect(operator.get_by_text("Saved.")).to_be_visible()
    expect(operator.get_by_label("Weight")).to_have_value("3")
    operator.get_by_role("link", name="Audit log").last.click()
    expect(operator.locator(".row-link").first).to_have_text("account.share")
