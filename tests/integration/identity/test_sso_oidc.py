"""Single sign-on by OpenID Connect, end to end against a provider on loopback."""

from typing import Any

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.credentials.services.provisioning import organisation_provision
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.sso.configuration import OidcConfig
from apps.tenancy.models import Account, AccountStatus, Membership, Role
from tests.integration.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, serve
from tests.integration.identity.people import Visitor, sign_in, totp_code, user_id_of, with_totp
from tests.integration.identity.sso import connect, leave

REFUSED = "The answer of your identity provider could not be accepted."


@pytest.fixture
def connection(acme: Account, provider: Provider) -> SsoConnection:
    return connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET))


def _return(client: Client, there: str) -> Any:
    """Sign in at the provider, and come back."""
    answer = requests.get(there, allow_redirects=False, timeout=10)
    return client.get(answer.headers["Location"].removeprefix("http://testserver"))


def test_a_new_person_signs_in_and_joins(
    browser: Client, connection: SsoConnection, provider: Provider, acme: Account
) -> None:
    there = leave(browser, "Dora@Acme.test")
    assert there.startswith(f"{provider.url}/authorize?")
    answer = _return(browser, there)
    assert answer["Location"] == "/o/acme/env/production/runs"
    dora = User.objects.get(email="dora@acme.test")
    assert (dora.name, dora.has_usable_password(), user_id_of(browser)) == (
        "Dora of Acme",
        False,
        str(dora.pk),
    )
    assert Membership.objects.get(user=dora, account=acme).role == Role.OPERATOR
    assert EmailAddress.objects.get(user=dora).verified is True
    sent = provider.token_requests[0]
    assert (sent["client_id"], sent["client_secret"]) == (CLIENT_ID, CLIENT_SECRET)
    assert sent["code_verifier"]
    actions = AuditEntry.objects.filter(account_id=acme.id, actor_id=str(dora.pk)).order_by("number")
    assert [(row.action, row.after) for row in actions] == [
        ("member.join", {"role": "operator", "by": "Acme ID"}),
        ("user.sign_in", {"method": "socialaccount"}),
    ]


@pytest.mark.usefixtures("connection")
def test_the_second_time_it_is_the_same_person(browser: Client, provider: Provider) -> None:
    for client in (browser, Visitor()):
        _return(client, leave(client, provider.email))
    assert User.objects.filter(email=provider.email).count() == 1
    assert SocialAccount.objects.count() == 1


@pytest.mark.usefixtures("connection")
def test_a_member_keeps_user_and_role(browser: Client, provider: Provider, bob: User) -> None:
    provider.email = bob.email
    _return(browser, leave(browser, bob.email))
    assert user_id_of(browser) == str(bob.pk)
    assert Membership.objects.get(user=bob).role == Role.DEVELOPER
    assert sign_in(Visitor(), bob.email)["Location"] == "/"


@pytest.mark.usefixtures("connection")
def test_the_second_factor_is_asked_for_here_too(browser: Client, provider: Provider, bob: User) -> None:
    secret = with_totp(bob)
    provider.email = bob.email
    assert _return(browser, leave(browser, bob.email))["Location"] == "/sign-in/second-factor"
    assert user_id_of(browser) is None
    browser.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert user_id_of(browser) == str(bob.pk)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"iss": "https://elsewhere.test"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
)
@pytest.mark.usefixtures("connection")
def test_a_token_for_others_of_others_or_of_the_past_is_refused(
    browser: Client, provider: Provider, acme: Account, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    answer = _return(browser, leave(browser, provider.email))
    assert answer.status_code == 401
    assert REFUSED in answer.content.decode()
    _assert_nobody_came(browser, provider, acme)


@pytest.mark.usefixtures("connection")
def test_a_bad_signature_is_refused(browser: Client, provider: Provider, acme: Account) -> None:
    provider.is_forging = True
    assert _return(browser, leave(browser, provider.email)).status_code == 401
    _assert_nobody_came(browser, provider, acme)


def _assert_nobody_came(browser: Client, provider: Provider, acme: Account) -> None:
    assert user_id_of(browser) is None
    assert not User.objects.filter(email=provider.email).exists()
    (entry,) = AuditEntry.objects.filter(account_id=acme.id, action="sso.sign_in")
    assert (entry.is_success, entry.target_label) == (False, "Acme ID")


@pytest.mark.usefixtures("connection")
def test_a_token_is_accepted_once(browser: Client, provider: Provider) -> None:
    _return(browser, leave(browser, provider.email))
    provider.fixed_token = provider.tokens[0]
    other = Visitor()
    assert _return(other, leave(other, provider.email)).status_code == 401
    assert user_id_of(other) is None


@pytest.mark.usefixtures("connection")
def test_an_answer_belongs_to_the_browser_that_asked(browser: Client, provider: Provider) -> None:
    there = leave(browser, provider.email)
    other = Visitor()
    assert _return(other, there).status_code == 401
    assert user_id_of(other) is None
    assert _return(browser, there)["Location"] == "/o/acme/env/production/runs"
    assert _return(Visitor(), there).status_code == 401


@pytest.mark.usefixtures("connection")
def test_a_provider_speaks_for_its_own_domains_only(
    browser: Client, provider: Provider, stranger: User
) -> None:
    provider.email = stranger.email
    answer = _return(browser, leave(browser, "dora@acme.test"))
    assert answer.status_code == 403
    assert "outside of its organisation&#x27;s domains" in answer.content.decode()
    assert user_id_of(browser) is None
    assert not SocialAccount.objects.exists()


def test_a_domain_that_moved_takes_its_people_along(
    browser: Client, connection: SsoConnection, provider: Provider
) -> None:
    _return(browser, leave(browser, provider.email))
    there = leave(Visitor(), provider.email)
    assert there
    connection.domains.update(domain="other.test")
    provider.claims = {"email": "dora@other.test"}
    other = Visitor()
    answer = _return(other, leave(other, "dora@other.test"))
    assert answer.status_code == 403
    assert user_id_of(other) is None


@pytest.mark.usefixtures("connection")
def test_userinfo_has_to_be_about_the_same_person(browser: Client, provider: Provider) -> None:
    provider.claims = {"email": None}
    provider.userinfo = {"sub": "somebody else", "email": "alice@acme.test"}
    assert _return(browser, leave(browser, provider.email)).status_code == 401
    assert user_id_of(browser) is None
    provider.userinfo = {"sub": f"subject of {provider.email}", "email": provider.email}
    assert _return(browser, leave(browser, provider.email)).status_code == 302


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(
    ("missing", "claims"),
    [("token_endpoint", {}), ("", {"email": ["dora@acme.test"]}), ("", {"name": {"first": "Dora"}})],
    ids=["no token endpoint", "an address that is a list", "a name that is an object"],
)
def test_an_answer_that_makes_no_sense_is_refused_and_on_record(
    browser: Client, acme: Account, provider: Provider, missing: str, claims: dict[str, Any]
) -> None:
    there = leave(browser, provider.email)
    whole = provider.discovery()
    provider.discovery = lambda: {k: v for k, v in whole.items() if k != missing}  # type: ignore[method-assign]
    provider.claims = claims
    answer = _return(browser, there)
    assert answer.status_code == 401
    assert REFUSED in answer.content.decode()
    assert user_id_of(browser) is None
    failures = AuditEntry.objects.filter(account_id=acme.id, action="sso.sign_in", is_success=False)
    assert failures.count() == 1


def test_without_joining_only_members_come_in(browser: Client, acme: Account, provider: Provider) -> None:
    connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET), is_joining=False)
    answer = _return(browser, leave(browser, provider.email))
    assert answer.status_code == 403
    assert "You are not a member of this organisation." in answer.content.decode()
    assert not User.objects.filter(email=provider.email).exists()


def _vouched_for(user: User, connection: SsoConnection) -> Client:
    """A session as the connection begins it."""
    client = Visitor()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "socialaccount", "provider": connection.provider_id}
    ]
    session.save()
    return client


def test_enforced_refuses_passwords_except_of_owners(
    browser: Client, acme: Account, provider: Provider, alice: User, bob: User
) -> None:
    connection = connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET), is_enforced=True)
    answer = sign_in(browser, bob.email)
    assert answer["Location"] == "/sign-in/sso?required=1"
    assert "wants you to sign in this way" in browser.get(answer["Location"]).content.decode()
    assert user_id_of(browser) is None
    for email in (bob.email, alice.email, "nobody@acme.test"):
        page = sign_in(browser, email, "wrong").content.decode()
        assert "People of this domain sign in with single sign-on." in page
    assert sign_in(browser, alice.email)["Location"] == "/"
    member = _vouched_for(bob, connection)
    page = member.post("/profile/email", {"action_add": "1", "email": "bob@elsewhere.test"})
    assert "which also says what your address is" in page.content.decode()
    form = {"name": "Eve", "email": "eve@acme.test", "password1": "deep water runs cold"}
    assert "sign in with single sign-on" in Visitor().post("/sign-up", form).content.decode()
    newcomer = Visitor()
    _return(newcomer, leave(newcomer, provider.email))
    assert user_id_of(newcomer) == str(User.objects.get(email=provider.email).pk)
    provider.email = bob.email
    other = Visitor()
    answer = _return(other, leave(other, bob.email))
    assert answer.status_code == 302, answer.content.decode()
    assert user_id_of(other) == str(bob.pk)


def test_a_suspended_organisation_gets_no_new_members(
    browser: Client, connection: SsoConnection, provider: Provider, acme: Account
) -> None:
    Account.objects.filter(id=acme.id).update(status=AccountStatus.SUSPENDED)
    _return(browser, leave(browser, provider.email))
    assert user_id_of(browser) is not None
    assert not Membership.objects.filter(user__email=provider.email).exists()


def test_a_flood_of_forged_answers_does_not_fill_the_audit_log(
    browser: Client, connection: SsoConnection, acme: Account
) -> None:
    for _ in range(15):
        forged = browser.get(f"/sso/oidc/{connection.provider_id}/callback", {"code": "x", "state": "y"})
        assert forged.status_code == 401
    assert AuditEntry.objects.filter(account_id=acme.id, action="sso.sign_in").count() == 10


def test_connections_of_two_organisations_do_not_mix(
    browser: Client, connection: SsoConnection, provider: Provider, stranger: User
) -> None:
    """The same client id at two providers, as everybody calls us."""
    other = Provider(email=stranger.email)
    server = serve(other)
    elsewhere = organisation_provision(name="Elsewhere", owner=stranger, actor=SYSTEM)
    connect(elsewhere, OidcConfig(other.url, CLIENT_ID, CLIENT_SECRET), domain="elsewhere.test")
    secret = with_totp(stranger)
    assert _return(browser, leave(browser, stranger.email))["Location"] == "/sign-in/second-factor"
    browser.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert user_id_of(browser) == str(stranger.pk)
    assert [row.account.slug for row in stranger.memberships.select_related("account")] == ["elsewhere"]
    there = leave(Visitor(), "dora@acme.test")
    assert there.startswith(provider.url)
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("connection")
def test_a_domain_without_a_connection_is_told_so(browser: Client) -> None:
    answer = browser.post("/sign-in/sso", {"email": "charlie@elsewhere.test"})
    assert answer.status_code == 422
    assert "No organisation has set up single sign-on for this domain." in answer.content.decode()


def test_a_provider_that_is_away_or_forbidden_is_an_error_on_the_page(
    browser: Client, acme: Account, server: Settings, provider: Provider
) -> None:
    connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET))
    server.STEPWELL_ALLOW_PRIVATE_NETWORKS = False
    answer = browser.post("/sign-in/sso", {"email": "dora@acme.test"})
    assert answer.status_code == 502
    assert "Acme ID does not answer." in answer.content.decode()
    assert provider.token_requests == []


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test"])
@pytest.mark.usefixtures("connection")
def test_it_leads_to_our_own_pages_only(browser: Client, provider: Provider, target: str) -> None:
    answer = _return(browser, leave(browser, provider.email, next=target))
    assert answer["Location"] == "/o/acme/env/production/runs"


@pytest.mark.usefixtures("connection")
def test_a_disabled_connection_signs_nobody_in(browser: Client, provider: Provider) -> None:
    there = leave(browser, provider.email)
    SsoConnection.objects.update(is_enabled=False)
    assert _return(browser, there).status_code == 404
    assert browser.post("/sign-in/sso", {"email": provider.email}).status_code == 422
