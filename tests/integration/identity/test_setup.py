"""A fresh server: one token in its log, once, makes the owner and the first organisation."""

import json
import logging
import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.credentials import secrets
from apps.credentials.models import EventKey, SigningKey
from apps.identity.models import User
from apps.server.logs import json_formatter
from apps.signin.announcing import announce_setup
from apps.signin.models import SetupToken
from apps.signin.services.setup import setup_token_issue
from apps.tenancy.models import DEV_ACCOUNT_ID, DEV_ENVIRONMENT_ID, Account, Environment, Role
from tests.integration.identity.people import PASSWORD, Visitor, user_id_of

SIGNING_KEY = "signkey-prod-" + "ab" * 32
FORM = {"organisation": "Grün & Söhne", "name": "Olga", "email": "Olga@gruen.test", "password": PASSWORD}


@pytest.fixture
def token(server: Settings) -> str:
    issued = setup_token_issue()
    assert issued is not None
    return issued


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/sign-in", "/sign-up", "/reset", "/profile", "/orgs", "/admin/"]
)
@pytest.mark.usefixtures("token")
def test_every_page_leads_to_the_setup(browser: Client, path: str) -> None:
    answer = browser.get(path, follow=True)
    assert answer.redirect_chain[-1] == ("/setup", 302)
    assert "Set up this server" in answer.content.decode()


@pytest.mark.usefixtures("token")
def test_the_interfaces_of_apps_do_not(browser: Client) -> None:
    assert browser.get("/health").status_code == 200


def test_the_first_organisation_is_the_servers_own(browser: Client, token: str, server: Settings) -> None:
    server.STEPWELL_SIGNING_KEY = SIGNING_KEY
    answer = browser.post("/setup", FORM | {"token": f" {token} "})
    assert (answer.status_code, answer["Location"]) == (302, "/o/grun-sohne/env/production/runs")
    user = User.objects.get()
    assert (user.email, user.name, user.is_staff, user.is_superuser) == (
        "olga@gruen.test",
        "Olga",
        True,
        True,
    )
    assert user_id_of(browser) == str(user.pk)
    assert EmailAddress.objects.get(user=user).verified is True

    account = Account.objects.get(id=DEV_ACCOUNT_ID)
    assert (account.name, account.slug) == ("Grün & Söhne", "grun-sohne")
    assert [(row.user, row.role) for row in account.memberships.all()] == [(user, Role.OWNER)]
    environments = Environment.objects.filter(account=account).order_by("type").values_list("type", "slug")
    assert list(environments) == [("branch_parent", "branch"), ("production", "production")]
    assert Environment.objects.get(slug="production", account=account).id == DEV_ENVIRONMENT_ID
    assert EventKey.objects.filter(account=account, is_default=True).count() == 2
    key = SigningKey.objects.get(environment_id=DEV_ENVIRONMENT_ID)
    assert (secrets.decrypt(key.value_encrypted), key.state) == (SIGNING_KEY, "active")
    assert browser.get(answer["Location"]).status_code == 200
    actions = AuditEntry.objects.filter(account_id=account.id).values_list("action", flat=True)
    assert {"account.create", "user.sign_in"} <= set(actions)


def test_a_token_works_once(browser: Client, token: str) -> None:
    browser.post("/setup", FORM | {"token": token})
    other = Visitor()
    assert other.get("/setup")["Location"] == "/sign-in"
    answer = other.post("/setup", FORM | {"token": token, "email": "second@gruen.test"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in")
    assert User.objects.count() == 1
    assert SetupToken.objects.count() == 0
    assert setup_token_issue() is None


def test_a_wrong_token_makes_nothing(browser: Client, token: str) -> None:
    answer = browser.post("/setup", FORM | {"token": "wrong"})
    assert answer.status_code == 422
    assert "not the token of this server" in answer.content.decode()
    assert User.objects.count() == 0
    assert Account.objects.get(id=DEV_ACCOUNT_ID).slug == "default"
    assert SetupToken.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"email": "nonsense"}, "Enter a valid email address."),
        ({"organisation": ""}, "This field is required."),
        ({"organisation": "a\u202eb"}, "A name has no control characters."),
    ],
)
def test_what_is_wrong_keeps_the_token(
    browser: Client, token: str, changed: dict[str, str], problem: str
) -> None:
    answer = browser.post("/setup", FORM | {"token": token} | changed)
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert User.objects.count() == 0
    assert browser.post("/setup", FORM | {"token": token}).status_code == 302


def test_guesses_are_limited(browser: Client, token: str) -> None:
    for _ in range(10):
        assert browser.post("/setup", FORM | {"token": "wrong"}).status_code == 422
    assert browser.post("/setup", FORM | {"token": token}).status_code == 429


def test_only_the_hash_is_stored_and_an_earlier_starts_token_ends(browser: Client, token: str) -> None:
    row = SetupToken.objects.get()
    assert token not in row.token_hash
    SetupToken.objects.update(created_at="2026-01-01T00:00:00Z")
    assert setup_token_issue() is not None
    assert SetupToken.objects.count() == 1
    assert browser.post("/setup", FORM | {"token": token}).status_code == 422


def test_processes_of_one_start_have_one_each(browser: Client, token: str) -> None:
    setup_token_issue()
    assert SetupToken.objects.count() == 2
    assert browser.post("/setup", FORM | {"token": token}).status_code == 302


def test_the_log_says_where_to_go(server: Settings, caplog: pytest.LogCaptureFixture) -> None:
    server.STEPWELL_BASE_URL = "https://stepwell.test"
    with caplog.at_level(logging.WARNING, "apps.signin"):
        announce_setup()
    (message,) = [record.getMessage() for record in caplog.records]
    token = message.rpartition("token=")[2]
    assert message == f"nobody has set up this server yet: open https://stepwell.test/setup?token={token}"
    assert SetupToken.objects.filter(token_hash=secrets.keyed_hash(token)).exists()
    assert json.loads(json_formatter().format(caplog.records[0]))["msg"] == message


@pytest.mark.parametrize("mode", ["dev", "server"])
def test_nothing_is_said_in_dev_mode_or_to_a_server_with_users(
    server: Settings, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    server.STEPWELL_MODE = mode
    if mode == "server":
        User.objects.create_user("olga@gruen.test", PASSWORD)
    with caplog.at_level(logging.INFO, "apps.signin"):
        announce_setup()
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.usefixtures("token")
def test_the_page_says_when_no_mail_is_sent(browser: Client, server: Settings) -> None:
    assert "This server sends no mail" not in browser.get("/setup").content.decode()
    server.IS_MAIL_CONFIGURED = False
    assert "This server sends no mail" in browser.get("/setup").content.decode()


def test_the_link_of_the_log_leaves_the_token_out_of_sight_until_it_is_wrong(
    browser: Client, token: str
) -> None:
    hidden = f'<input type="hidden" name="token" value="{token}"'
    assert hidden in browser.get(f"/setup?token={token}").content.decode()
    assert '<label for="id_token">Setup token</label>' in browser.get("/setup").content.decode()
    page = browser.post("/setup", FORM | {"token": "x" * 32}).content.decode()
    assert '<label for="id_token">Setup token</label>' in page
    assert page.count("autofocus") == 1
    assert re.search(r'<input[^>]* name="token"[^>]* autofocus', page)
