"""Server mode as people use it: switchers, palette, keys, webhooks; accessible, and at home on a phone."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket, expect

from tests.browser import seed_ids as ids
from tests.browser.conftest import Site
from tests.browser.organisations import Organisations, running
from tests.browser.outlines import outline_problems
from tests.browser.seed_tenants import BRANCHES, LONG_ENVIRONMENT
from tests.browser.test_accessibility import violations
from tests.e2e.waiting import wait_until

IN_PRODUCTION = [
    *("/runs", "/manage/keys", "/manage/signing-key", "/manage/signing-key/rotate", "/manage/webhooks"),
    *("/settings", "/start", "/palette?q=order", "/manage/keys/create"),
]
IN_ACME = [
    *("/env", "/env/staging/runs", "/env/old-canary/runs", "/env/main/manage/keys", "/settings/general"),
    *("/settings/members", "/settings/members/invite", "/settings/api-keys", "/settings/api-keys/create"),
    *("/settings/audit", "/env/staging/manage/webhooks", "/settings/general/delete"),
]
PATHS = [f"/env/production{path}" for path in IN_PRODUCTION] + IN_ACME


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("organisations"), redis_server) as found:
        yield found


def _page(organisations: Organisations, browser: Browser, problems: list[str], name: str) -> Iterator[Page]:
    context = organisations.visit(browser, name, viewport={"width": 1280, "height": 800})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.on("console", lambda message: _note(problems, message))
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


def _note(problems: list[str], message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        problems.append(message.text)


@pytest.fixture
def alice(organisations: Organisations, browser: Browser, problems: list[str]) -> Iterator[Page]:
    yield from _page(organisations, browser, problems, "alice")


@pytest.fixture
def bob(organisations: Organisations, browser: Browser, problems: list[str]) -> Iterator[Page]:
    yield from _page(organisations, browser, problems, "bob")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_serious_violation(organisations: Organisations, browser: Browser, scheme: str) -> None:
    context = organisations.visit(browser, "alice", color_scheme=scheme, reduced_motion="reduce")
    page, found = context.new_page(), {}
    for path in PATHS:
        page.goto(f"{organisations.acme}{path}")
        found[path] = violations(page) + outline_problems(page)
    context.close()
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_nothing_is_wider_than_a_phone(organisations: Organisations, browser: Browser) -> None:
    context = organisations.visit(browser, "alice", viewport={"width": 390, "height": 844})
    page, found = context.new_page(), {}
    for path in PATHS:
        page.goto(f"{organisations.acme}{path}")
        found[path] = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert {path: width for path, width in found.items() if width > 390} == {}


def test_the_open_menus_have_no_serious_violation(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/runs")
    for name in ("Organisation: Acme", "Environment: Production", "Your account: Alice"):
        alice.locator("summary", has_text=name).click()
        assert violations(alice) == []
        alice.keyboard.press("Escape")
    alice.keyboard.press("Control+k")
    expect(alice.locator("#palette").get_by_role("option").first).to_be_visible()
    assert violations(alice) == []


def test_the_environment_switcher_keeps_the_section(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/functions/shop-fulfil-order")
    switcher = alice.locator("summary", has_text="Environment:")
    switcher.click()
    filter_box = alice.get_by_label("Filter environments")
    expect(filter_box).to_be_focused()
    titles = alice.locator(".popover:visible .choice-title")
    expect(titles).to_have_text(["Production", "Custom", "Branches"])
    expect(alice.get_by_role("link", name=BRANCHES[0])).to_be_visible()
    filter_box.fill("logistics")
    expect(alice.get_by_role("link", name="Staging")).to_be_hidden()
    alice.keyboard.press("Enter")
    expect(alice).to_have_url(re.compile(r"/o/acme/env/acceptance-tests[^/]*/functions$"))
    expect(switcher).to_contain_text(LONG_ENVIRONMENT)
    switcher.click()
    alice.keyboard.press("Escape")
    expect(switcher).to_be_focused()
    expect(filter_box).to_be_hidden()


def test_the_organisation_switcher(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/runs")
    alice.locator("summary", has_text="Organisation:").click()
    alice.get_by_role("link", name="Northwind Traders International").click()
    expect(alice).to_have_url(f"{organisations.url}/o/northwind-traders-international/env/production/runs")
    expect(alice.get_by_role("heading", name="Four steps to a first run")).to_be_visible()
    alice.goto(f"{organisations.url}/switch?org=acme")


def test_the_palette_by_keyboard_alone(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/runs")
    alice.keyboard.press("Control+k")
    palette = alice.locator("#palette")
    box = palette.get_by_role("combobox")
    expect(box).to_be_focused()
    box.fill("fulfil")
    option = palette.get_by_role("option", name="Fulfil order")
    expect(option).to_have_attribute("aria-selected", "true")
    alice.keyboard.press("Enter")
    expect(alice).to_have_url(f"{organisations.production}/functions/shop-fulfil-order")
    alice.keyboard.press("Control+k")
    box.fill("key")
    expect(palette.get_by_role("option", name="Event keys")).to_have_attribute("aria-selected", "true")
    alice.keyboard.press("ArrowDown")
    expect(palette.get_by_role("option", name="Signing key")).to_have_attribute("aria-selected", "true")
    alice.keyboard.press("Escape")
    expect(box).to_be_hidden()
    alice.goto(f"{organisations.acme}/env/staging/runs")
    alice.keyboard.press("Control+k")
    box.fill(ids.COMPLETED_RUN)
    palette.get_by_role("option", name=ids.COMPLETED_RUN).click()
    expect(alice).to_have_url(f"{organisations.production}/runs/{ids.COMPLETED_RUN}")


def test_the_palette_of_dev_mode(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/runs")
    page.get_by_role("link", name="Search").click()
    page.locator("#palette").get_by_role("combobox").fill("apps")
    page.locator("#palette").get_by_role("option", name="Apps").click()
    expect(page).to_have_url(f"{site.url}/apps")


def test_a_key_is_revealed_and_copied(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/manage/keys")
    secret = alice.locator(".secret").first
    secret.get_by_role("button", name="Copy event key without showing it").click()
    expect(secret.get_by_role("button", name="Copied")).to_be_visible()
    copied = alice.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"[\w-]{86}", copied)
    expect(secret).not_to_contain_text(copied)
    secret.get_by_role("button", name="Reveal").click()
    expect(alice.locator(".secret").first).to_contain_text(copied)
    alice.goto(f"{organisations.acme}/settings/audit?family=key")
    expect(alice.locator(".audit-entry").first).to_contain_text("key.event.reveal")


def test_the_variables_of_the_first_steps_are_copied_for_a_terminal(
    organisations: Organisations, alice: Page
) -> None:
    alice.goto(f"{organisations.production}/start")
    button = alice.get_by_role("button", name="Copy all for a terminal")
    button.click()
    expect(alice.get_by_role("button", name="Copied")).to_be_visible()
    copied = alice.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(
        rf"export INNGEST_BASE_URL='{organisations.url}'\n"
        r"export INNGEST_EVENT_KEY='[\w-]{86}'\n"
        r"export INNGEST_SIGNING_KEY='signkey-prod-[0-9a-f]{64}'\n",
        copied,
    )
    expect(alice.locator("#variables")).not_to_contain_text(copied.split("'")[3])
    expect(button).to_be_visible()


def test_a_developer_learns_who_can(organisations: Organisations, bob: Page) -> None:
    bob.goto(f"{organisations.production}/runs/{ids.RUNNING_RUN}")
    cancel = bob.locator("#cancel-link")
    expect(cancel).to_have_attribute("aria-disabled", "true")
    assert "owner, admin or operator" in (cancel.get_attribute("title") or "")
    cancel.click(force=True)  # which it is for people, too
    expect(bob.get_by_role("dialog")).to_have_count(0)


def test_the_webhook_editor_shows_the_event_as_one_types(
    organisations: Organisations, alice: Page, problems: list[str]
) -> None:
    alice.goto(f"{organisations.production}/manage/webhooks")
    result = alice.locator("#webhook-result")
    expect(result).to_contain_text("stripe/invoice.paid", timeout=30_000)  # the first script starts a worker
    editor = alice.get_by_label("What makes events of a request")
    editor.fill("function transform(evt) { return { name: 'money/in', data: evt }; }")
    expect(result).to_contain_text("money/in")
    expect(result).to_contain_text("Against the saved transform")
    editor.fill("function transform(evt) {\n  throw new Error('no money');\n}")
    expect(result).to_contain_text("no money")
    result.get_by_role("button", name="Line 2").click()
    expect(editor).to_be_focused()
    assert editor.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd)") == (
        "  throw new Error('no money');"
    )


def test_the_webhook_editor_loses_nothing(
    organisations: Organisations, alice: Page, problems: list[str]
) -> None:
    alice.goto(f"{organisations.production}/manage/webhooks")
    result, editor = alice.locator("#webhook-result"), alice.get_by_label("What makes events of a request")
    expect(result).to_contain_text("stripe/invoice.paid", timeout=30_000)
    expect(alice.get_by_text("Not saved", exact=True)).to_be_hidden()
    editor.fill("function transform(evt) { return { name: 'money/out', data: { id: evt.id } }; }")
    expect(alice.get_by_text("Not saved", exact=True)).to_be_visible()
    alice.get_by_label("Load a delivery").select_option(index=3)
    expect(alice.get_by_label("Incoming payload")).to_have_value(re.compile("evt_1"))
    expect(result).to_contain_text('"id": "evt_1"')
    expect(editor).to_have_value(re.compile("money/out"))
    alice.get_by_role("tab", name="Headers").click()
    expect(alice.get_by_role("textbox", name="Headers")).to_have_value(re.compile("User-Agent: Stripe"))
    editor.fill("function transform(")
    alice.get_by_role("button", name="Save transform").click()
    state = alice.locator("#script-state")
    expect(state).to_contain_text("Not saved. Line 2 SyntaxError")
    assert [problem for problem in problems if "422" not in problem] == []
    problems.clear()
    expect(editor).to_have_value("function transform(")
    assert violations(alice) == []
    editor.fill("function transform(evt) { return { name: 'money/in', data: evt }; }")
    editor.press("Control+s")
    expect(state).to_have_text("The transform is saved.")
    expect(alice.get_by_text("Not saved", exact=True)).to_be_hidden()
    alice.reload()
    expect(editor).to_have_value(re.compile("money/in"))


def test_a_rotation_by_hand(organisations: Organisations, alice: Page, problems: list[str]) -> None:
    alice.goto(f"{organisations.production}/manage/signing-key")
    expect(alice.get_by_role("table")).to_contain_text("billing-service")
    alice.get_by_role("link", name="Rotate").click()
    dialog = alice.get_by_role("dialog", name="Rotate the signing key?")
    dialog.get_by_role("button", name="Rotate").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Not every app uses the new key yet.")
    problems.clear()
    dialog.get_by_label("Rotate although").check()
    dialog.get_by_role("button", name="Rotate").click()
    expect(alice.get_by_text("The new key is the current one.")).to_be_visible()
    expect(alice.get_by_role("heading", name="Old keys")).to_be_visible()
    alice.get_by_role("link", name="Revoke now").click()
    alice.get_by_role("dialog").get_by_role("button", name="Revoke now").click()
    expect(alice.get_by_role("heading", name="Old keys")).to_have_count(0)
    expect(alice.get_by_role("button", name="Create new key")).to_be_visible()


def test_a_page_hears_of_its_environment(organisations: Organisations, bob: Page) -> None:
    """Its connection is below its own address."""
    heard: list[dict[str, str]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda text: heard.append({"url": socket.url, "text": str(text)}))

    bob.on("websocket", listen)
    for environment in ("production", "fix-refunds"):
        heard.clear()
        bob.goto(f"{organisations.acme}/env/{environment}/runs")
        topic = bob.locator("#runs-list").get_attribute("data-live-topic")
        # Asking the page lets its events through.
        wait_until(lambda: bool(bob.title() and heard))
        assert heard[0]["url"].endswith(f"/o/acme/env/{environment}/ws/live")
        assert json.loads(heard[0]["text"]) == {"subscribed": [topic], "refused": []}


def test_signing_out(organisations: Organisations, bob: Page) -> None:
    bob.goto(f"{organisations.production}/runs")
    bob.locator("summary", has_text="Your account:").click()
    bob.get_by_role("button", name="Sign out").click()
    bob.goto(f"{organisations.production}/runs")
    expect(bob).to_have_url(re.compile(r"/sign-in\?next="))
