"""The test of a connection: the whole round, nobody signed in, and what came back or the exact error."""

import re
from typing import Any

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.services import connections
from apps.signin.sso import rehearsal
from apps.signin.sso.configuration import Config, OidcConfig
from apps.signin.sso.saml import read_metadata
from apps.tenancy.models import Account, Membership, Role
from tests.integration.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.integration.identity.people import Visitor, sign_in, user_id_of
from tests.integration.identity.saml_provider import SamlProvider, request_id
from tests.integration.identity.sso import leave


@pytest.fixture
def page(browser: Client, acme: Account, alice: User) -> Client:
    """The browser of Acme's owner."""
    sign_in(browser, alice.email)
    return browser


def disabled(account: Account, config: Config) -> SsoConnection:
    """As it is before it is turned on for the first time, with its domain proven."""
    connection = connections.connection_create(account=account, name="Acme ID", config=config, actor=SYSTEM)
    domain = connections.domain_add(connection=connection, domain="acme.test", actor=SYSTEM)
    connections.domain_approve(domain=domain, actor=SYSTEM)
    return connection


@pytest.fixture
def connection(acme: Account, provider: Provider) -> SsoConnection:
    return disabled(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET))


def begin(page: Client, connection: SsoConnection) -> Any:
    return page.post(f"/orgs/acme/sso/{connection.id}/test")


def address(answer: Any) -> str:
    """Where the page in between leads to."""
    found = re.search(r'href="([^"]+)" rel="noreferrer"', answer.content.decode())
    assert found is not None, answer.content.decode()
    return found[1].replace("&amp;", "&")


def come_back(page: Client, there: str) -> Any:
    answer = requests.get(there, allow_redirects=False, timeout=10)
    return page.get(answer.headers["Location"].removeprefix("http://testserver"))


def assert_nothing_changed(page: Client, alice: User) -> None:
    assert user_id_of(page) == str(alice.pk)
    assert list(User.objects.values_list("email", flat=True)) == [alice.email]
    assert Membership.objects.count() == 1
    assert not SocialAccount.objects.exists()
    assert page.get("/orgs/acme/sso").status_code == 200


def targets(account: Account) -> list[tuple[str, bool]]:
    entries = AuditEntry.objects.filter(account_id=account.id, action="sso.test").order_by("number")
    return [(entry.target_label, entry.is_success) for entry in entries]


def outcomes(account: Account) -> list[bool]:
    entries = AuditEntry.objects.filter(account_id=account.id, action="sso.test").order_by("number")
    return [entry.is_success for entry in entries]


def test_it_shows_what_came_back_and_signs_nobody_in(
    page: Client, connection: SsoConnection, alice: User, acme: Account
) -> None:
    answer = come_back(page, address(begin(page, connection)))
    text = answer.content.decode()
    assert answer.status_code == 200, text
    assert "The connection works: once it is turned on, this person can sign in with it." in text
    for said in ("subject of dora@acme.test", "Dora of Acme", "id_token.email", CLIENT_ID):
        assert said in text
    assert CLIENT_SECRET not in text
    assert_nothing_changed(page, alice)
    assert outcomes(acme) == [True]


def test_it_says_why_the_person_would_be_refused(
    page: Client, connection: SsoConnection, provider: Provider, alice: User, acme: Account
) -> None:
    provider.email = "dora@elsewhere.test"
    text = come_back(page, address(begin(page, connection))).content.decode()
    assert "this person would be refused: Your identity provider answered with an address outside" in text
    assert_nothing_changed(page, alice)
    assert outcomes(acme) == [False]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "another client"}, "Invalid id_token: Audience doesn&#x27;t match"),
        ({"exp": 1}, "Invalid id_token: Signature has expired"),
        ({"sub": None}, "the id_token lacks sub or exp"),
    ],
)
def test_it_shows_the_exact_error(
    page: Client,
    connection: SsoConnection,
    provider: Provider,
    alice: User,
    acme: Account,
    claims: dict[str, Any],
    reason: str,
) -> None:
    provider.claims = claims
    answer = come_back(page, address(begin(page, connection)))
    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert_nothing_changed(page, alice)
    assert outcomes(acme) == [False]


def test_the_providers_own_refusal_is_shown(page: Client, connection: SsoConnection, alice: User) -> None:
    there = address(begin(page, connection))
    state = re.search(r"state=([^&]+)", there)
    assert state is not None
    said = {"state": state[1], "error": "unauthorized_client", "error_description": "No such app <b>"}
    answer = page.get(f"/sso/oidc/{connection.provider_id}/callback", said)
    assert "unauthorized_client: No such app &lt;b&gt;" in answer.content.decode()
    assert_nothing_changed(page, alice)


def test_a_provider_that_is_away_is_an_error_at_once(page: Client, acme: Account, alice: User) -> None:
    connection = disabled(acme, OidcConfig("http://127.0.0.1:9", CLIENT_ID, CLIENT_SECRET))
    answer = begin(page, connection)
    assert answer.status_code == 200
    assert "Connection refused" in answer.content.decode()
    assert_nothing_changed(page, alice)


def test_after_it_is_over_a_disabled_connection_is_unknown_again(
    page: Client, connection: SsoConnection
) -> None:
    there = address(begin(page, connection))
    assert come_back(page, there).status_code == 200
    assert come_back(page, there).status_code == 404
    late = address(begin(page, connection))
    session = page.session
    session["sso_rehearsals"] = {
        key: until - rehearsal.SECONDS - 1 for key, until in session["sso_rehearsals"].items()
    }
    session.save()
    assert come_back(page, late).status_code == 404


def test_two_tests_in_one_browser_have_their_own_answers(
    page: Client, connection: SsoConnection, provider: Provider, acme: Account, alice: User
) -> None:
    other = connections.connection_create(
        account=acme, name="Other ID", config=OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET), actor=SYSTEM
    )
    first, second = address(begin(page, connection)), address(begin(page, other))
    shown = come_back(page, first).content.decode()
    assert "Acme ID" in shown
    assert "Other ID" not in shown
    assert "once it is turned on, this person can sign in with it" in shown
    refused = page.get(f"/sso/oidc/{other.provider_id}/callback", {"state": "x", "error": "no"})
    assert "Other ID" in refused.content.decode()
    assert targets(acme) == [("Acme ID", True), ("Other ID", False)]
    assert come_back(page, second).status_code == 404
    assert_nothing_changed(page, alice)


def test_a_sign_in_that_fails_meanwhile_is_no_result_of_the_test(
    browser: Client, connection: SsoConnection, acme: Account, alice: User
) -> None:
    connections.connection_set_policy(
        connection=connection,
        is_enabled=True,
        is_enforced=False,
        is_joining=True,
        default_role=Role.VIEWER,
        actor=SYSTEM,
    )
    state = re.search(r"state=([^&]+)", leave(browser, "dora@acme.test"))
    assert state is not None
    sign_in(browser, alice.email)
    begin(browser, connection)
    answer = browser.get(f"/sso/oidc/{connection.provider_id}/callback", {"state": state[1], "error": "no"})
    assert "Acme ID" not in answer.content.decode()
    assert outcomes(acme) == []


def test_another_browser_cannot_bring_the_answer(page: Client, connection: SsoConnection) -> None:
    there = address(begin(page, connection))
    other = Visitor()
    assert come_back(other, there).status_code == 404
    assert user_id_of(other) is None


def test_saml_goes_the_whole_round(page: Client, acme: Account, alice: User) -> None:
    provider = SamlProvider()
    connection = disabled(acme, read_metadata(provider.metadata()))
    provider.base = f"http://testserver/sso/saml/{connection.provider_id}"
    acs = f"/sso/saml/{connection.provider_id}/acs"

    def finish(**how: Any) -> Any:
        asked = request_id(address(begin(page, connection)))
        return page.get(page.post(acs, {"SAMLResponse": provider.answer(asked, **how)})["Location"])

    good = finish().content.decode()
    assert "The connection works: once it is turned on" in good
    assert "id of dora@acme.test" in good
    foreign = finish(audience="https://other.test")
    assert foreign.status_code == 200
    assert "metadata is not a valid audience for this Response" in foreign.content.decode()
    assert "invalid_response: " in foreign.content.decode()
    unsigned = finish(is_signed=False)
    assert "No Signature found" in unsigned.content.decode()
    assert_nothing_changed(page, alice)
    assert outcomes(acme) == [True, False, False]
