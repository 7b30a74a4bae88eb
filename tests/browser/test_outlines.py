"""Every page of dev mode has one title and its landmarks; those of server mode have theirs in their tests."""

from playwright.sync_api import Page

from tests.browser.conftest import Site
from tests.browser.outlines import outline_problems
from tests.browser.test_accessibility import PAGES


def test_every_page_has_one_title_and_its_landmarks(site: Site, page: Page) -> None:
    """The code of a panel is a region of the panel's name, which says what it is well enough."""
    found = {}
    for path in PAGES:
        page.goto(f"{site.url}{path}")
        found[path] = [one for one in outline_problems(page) if not one.startswith("landmark-unique")]
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_so_has_the_page_for_what_is_not_there(site: Site, page: Page, problems: list[str]) -> None:
    page.goto(f"{site.url}/nothing-here")
    assert outline_problems(page) == []
    problems.clear()  # the browser notes the status
