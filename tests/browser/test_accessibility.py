"""axe-core over every page, in both themes: no serious violation of WCAG 2.2 AA."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site
from tests.browser.seed_history import step_key

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text()
RUN_AXE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}"""
OPENED = "&".join(f"open=~{step_key(name)}" for name in ("reserve-stock", "wait-for-payment", "charge-card"))
PAGES = [
    "/runs",
    f"/runs/{ids.COMPLETED_RUN}?{OPENED}",
    f"/runs/{ids.FAILED_RUN}?open=~{step_key('charge-card')}",
    f"/runs/{ids.RUNNING_RUN}",
    f"/runs/{ids.SKIPPED_RUN}",
    "/events",
    f"/events/{ids.BUSY_EVENT}",
    f"/events/{ids.HELD_EVENT}",
    "/events/send",
    "/functions",
    "/functions/shop-fulfil-order",
    "/functions/shop-fulfil-order/invoke",
    "/functions/shop-fulfil-order/pause",
    "/apps",
    "/apps/add",
    f"/apps/{ids.SHOP}/syncs",
    "/unattached-syncs",
]


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN_AXE)
    return found


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_serious_violation(site: Site, themed: Page, path: str) -> None:
    themed.goto(f"{site.url}{path}")
    assert violations(themed) == []


@pytest.mark.parametrize(
    "path", ["/runs", "/events", "/functions", "/apps", "/unattached-syncs", "/nothing-here"]
)
def test_empty_pages_have_no_serious_violation(empty_site: Site, themed: Page, path: str) -> None:
    themed.goto(f"{empty_site.url}{path}")
    assert violations(themed) == []


def test_the_dialog_and_the_phone_have_no_serious_violation(site: Site, themed: Page) -> None:
    themed.set_viewport_size({"width": 390, "height": 844})
    themed.goto(f"{site.url}/runs/{ids.RUNNING_RUN}")
    assert violations(themed) == []
    themed.get_by_role("link", name="Cancel").click()
    expect(themed.get_by_role("dialog")).to_be_visible()
    assert violations(themed) == []
