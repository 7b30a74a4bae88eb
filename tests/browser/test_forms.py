"""Refused forms: the reason stands at its field, which has the focus, in the dialog and on a page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.organisations import Organisations, running


@pytest.fixture(scope="module")
def organisations(tmp_path_factory: pytest.TempPathFactory, redis_server: str) -> Iterator[Organisations]:
    with running(tmp_path_factory.mktemp("forms"), redis_server) as found:
        yield found


@pytest.fixture
def alice(organisations: Organisations, browser: Browser) -> Iterator[Page]:
    context = organisations.visit(browser, "alice", viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def _is_refused(page: Page, label: str, reason: str) -> None:
    field = page.get_by_label(label)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.get_by_role("alert").filter(has_text=reason)).to_be_visible()
    described = (field.get_attribute("aria-describedby") or "").split()
    assert reason in (page.locator(f"#{described[0]}").text_content() or "")


def test_in_the_dialog(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.acme}/settings/members")
    alice.get_by_role("link", name="Invite").click()
    alice.get_by_role("dialog").get_by_label("E-mail address").fill("bob@acme.test")
    alice.get_by_role("dialog").get_by_role("button", name="Invite").click()
    _is_refused(alice, "E-mail address", "This person is a member already.")
    expect(alice.get_by_role("dialog").get_by_role("button", name="Invite")).to_be_enabled()


def test_on_a_page_of_its_own(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.acme}/settings/members/invite")
    alice.get_by_label("E-mail address").fill("bob@acme.test")
    alice.get_by_role("button", name="Invite").click()
    _is_refused(alice, "E-mail address", "This person is a member already.")
    expect(alice.get_by_role("dialog")).to_have_count(0)


def test_a_page_says_what_is_wrong_with_an_event(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.production}/events/send")
    alice.get_by_role("textbox", name="Event").fill("{")
    alice.get_by_role("button", name="Send event").click()
    expect(alice.locator("#event-error")).to_be_visible()


def test_a_setting(organisations: Organisations, alice: Page) -> None:
    alice.goto(f"{organisations.acme}/settings/general")
    alice.get_by_label("Networks of members").fill("banana")
    alice.get_by_role("button", name="Save networks").click()
    _is_refused(alice, "Networks of members", "neither an address nor a range")
    expect(alice.get_by_label("Networks of members")).to_have_value("banana")
