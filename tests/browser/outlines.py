"""How a page is laid out for who hears it: one title, one main part, and everything in a named region."""

from playwright.sync_api import Page

from tests.browser.test_accessibility import AXE

_OUTLINE = """async () => {
  const rules = ["page-has-heading-one", "landmark-one-main", "landmark-unique", "region", "heading-order",
    "landmark-no-duplicate-banner", "landmark-main-is-top-level", "empty-heading", "duplicate-id-aria"];
  const { violations } = await axe.run(document, { runOnly: { type: "rule", values: rules } });
  const broken = violations.map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  const titles = [...document.querySelectorAll("h1")].map(({ textContent }) => textContent.trim());
  return titles.length === 1 ? broken : [...broken, `titles: ${JSON.stringify(titles)}`];
}"""


def outline_problems(page: Page) -> list[str]:
    """What is wrong with the headings and landmarks of the page, by axe-core's rules; one h1 exactly."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(_OUTLINE)
    return found
