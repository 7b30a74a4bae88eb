"""The page of single sign-on of an organisation, in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.organisations import Organisations, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    folder: Path = tmp_path_factory.mktemp("sso")
    with running(folder, redis_server) as site:
        yield site


@pytest.fixture
def page(server: Organisations, browser: Browser) -> Iterator[Page]:
    """Alice's, who owns Acme."""
    context = server.visit(browser, "alice")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("kind", ["oidc", "saml"])
def test_the_address_of_a_form_that_was_refused_can_be_visited(
    server: Organisations, page: Page, kind: str
) -> None:
    """Where the form with its faults was shown, the browser's address is that of the form."""
    overview = f"{server.url}/orgs/acme/sso"
    page.goto(f"{overview}/new/{kind}")
    expect(page).to_have_url(overview)
    expect(page.get_by_role("heading", name="Single sign-on of Acme")).to_be_visible()
