"""The longest names that people may give, in server mode: no page, form or console is wider than a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import seed_ids as ids
from tests.browser.conftest import run_python
from tests.browser.organisations import Organisations, running

PRODUCTION = "/o/acme/env/production"
OF_PRODUCTION = [
    *("/start", "/settings", "/manage/keys", "/manage/keys/create", "/manage/signing-key"),
    *("/manage/signing-key/rotate", "/manage/webhooks", "/manage/webhooks/create"),
    *("/apps", f"/apps/{ids.SHOP}/syncs", "/unattached-syncs"),
]
OF_ACME = [
    *("/env", "/create-environment", "/env/main/manage/keys", "/env/main/settings"),
    *("/env/staging/manage/webhooks", "/settings/general", "/settings/general/delete", "/settings/members"),
    *("/settings/members/invite", "/settings/api-keys", "/settings/api-keys/create", "/settings/audit"),
]
OF_ALICE = [
    *("/orgs", "/orgs/acme/sso", "/profile", "/profile/email", "/profile/password", "/profile/security"),
    *(
        "/profile/sessions",
        "/profile/tokens",
        "/sign-out",
        "/nothing-here",
        "/admin/",
        "/admin/tenancy/account/",
    ),
]
INTENT = f"/intent/create-webhook?name={'N' * 128}&redirect_uri=https://{'b' * 60}.{'c' * 60}.example/done"
OF_NOBODY = ["/sign-in", "/sign-up", "/sign-in/sso", "/reset", "/reset/done", "/sso/failed", "/invite/none"]
OF_SIGNED_IN = [f"{PRODUCTION}{path}" for path in OF_PRODUCTION]
OF_SIGNED_IN += [f"/o/acme{path}" for path in OF_ACME] + [*OF_ALICE, INTENT]
SHORT_BUTTONS = """() => [...document.querySelectorAll('.page .button, .own .button, .entrance .button')]
  .filter((button) => button.checkVisibility() && button.getBoundingClientRect().height < 44)
  .map((button) => button.textContent.trim())"""


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("long-names"), redis_server) as found:
        run_python(found.environment, "-m", "tests.browser.seed", "long-names")
        yield found


@pytest.mark.parametrize(("name", "paths"), [("alice", OF_SIGNED_IN), (None, OF_NOBODY)])
def test_pages_fit_a_phone_and_buttons_a_finger(
    organisations: Organisations, browser: Browser, name: str | None, paths: list[str]
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
    context = organisations.visit(browser, name, **phone) if name else browser.new_context(**phone)  # type: ignore[arg-type]
    page, wide, short = context.new_page(), {}, {}
    for path in paths:
        page.goto(f"{organisations.url}{path}")
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
        short[path] = page.evaluate(SHORT_BUTTONS)
    context.close()
    assert {path: width for path, width in wide.items() if width > 390} == {}
    assert {path: buttons for path, buttons in short.items() if buttons} == {}
