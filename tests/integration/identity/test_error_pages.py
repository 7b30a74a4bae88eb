"""Pages for what cannot be answered: what failed, what was done, what to do next."""

import re
from unittest.mock import patch

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.test import Client

from apps.identity.models import User
from apps.tenancy.models import Account
from tests.integration.identity.people import Visitor, sign_in

VIEW = "apps.signin.views.profile.render"


def _failing(client: Client, problem: Exception) -> tuple[int, str]:
    client.raise_request_exception = False
    with patch(VIEW, side_effect=problem):
        answer = client.get("/profile")
    return answer.status_code, answer.content.decode()


def test_an_error_of_the_server_names_the_request_and_nothing_of_the_error(
    browser: Client, acme: Account, alice: User
) -> None:
    sign_in(browser, alice.email)
    browser.raise_request_exception = False
    with patch(VIEW, side_effect=RuntimeError("the secret cause")):
        answer = browser.get("/profile", headers={"X-Request-Id": "request-of-the-proxy"})
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong here" in page
    assert '<code id="request-id">request-of-the-proxy</code>' in page
    assert "the secret cause" not in page


def test_an_error_in_an_environment_has_the_same_page(browser: Client, acme: Account, alice: User) -> None:
    sign_in(browser, alice.email)
    browser.raise_request_exception = False
    with patch("apps.dashboard.views.start.render_page", side_effect=RuntimeError("the secret cause")):
        answer = browser.get("/o/acme/env/production/start")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()


@pytest.mark.parametrize(
    ("problem", "status", "words"),
    [
        (SuspiciousOperation("x"), 400, "This request cannot be read"),
        (PermissionDenied("Only operators may."), 403, "Only operators may."),
    ],
)
def test_refusals_are_pages_of_ours(
    browser: Client, acme: Account, alice: User, problem: Exception, status: int, words: str
) -> None:
    sign_in(browser, alice.email)
    answered, page = _failing(browser, problem)
    assert (answered, words in page) == (status, True)
    assert '<a class="brand" href="/">' in page


def test_a_form_without_its_token_says_how_to_go_on(acme: Account, alice: User) -> None:
    answer = Visitor(enforce_csrf_checks=True).post("/sign-in", {"login": alice.email, "password": "x"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "This form is out of date" in page
    assert '<a class="button button-primary" href="/sign-in">Open it again</a>' in page


def test_limits_of_a_minute_say_when_to_try_again(browser: Client, bob: User) -> None:
    for _ in range(6):
        answer = browser.post("/reset", {"email": bob.email})
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert "Try again in a minute." in answer.content.decode()


def test_limits_of_an_hour_say_so(browser: Client, acme: Account, alice: User) -> None:
    sign_in(browser, alice.email)
    for number in range(11):
        answer = browser.post("/orgs", {"name": f"Team {number}"})
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
    assert "Try again in an hour." in answer.content.decode()


def test_what_is_not_there_says_who_looks(browser: Client, acme: Account, stranger: User) -> None:
    sign_in(browser, stranger.email)
    page = browser.get("/o/acme/settings/members").content.decode()
    assert "There is nothing here" in page
    assert re.search(r"You are signed in as\s+charlie@elsewhere\.test", page)
    assert "You are signed in as" not in Visitor().get("/invite/none").content.decode()
