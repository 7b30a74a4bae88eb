"""Turning on "they cannot sign in otherwise" ends the sessions that began otherwise (spec 05, 2.7)."""

import pytest
import requests
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.services import connections
from apps.signin.sso.configuration import OidcConfig
from apps.tenancy.models import Account, Membership, Role
from tests.integration.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.integration.identity.people import Visitor, sign_in, user_id_of
from tests.integration.identity.sso import connect, leave

ENFORCED = {"is_enabled": "on", "is_enforced": "on", "is_joining": "on", "default_role": "operator"}


@pytest.fixture
def connection(acme: Account, provider: Provider) -> SsoConnection:
    return connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET))


def signed_in(user: User) -> Client:
    client = Visitor()
    assert sign_in(client, user.email)["Location"] == "/"
    return client


def signed_in_by_sso(provider: Provider) -> Client:
    client = Visitor()
    there = requests.get(leave(client, provider.email), allow_redirects=False, timeout=10)
    client.get(there.headers["Location"].removeprefix("http://testserver"))
    assert user_id_of(client) == str(User.objects.get(email=provider.email).pk)
    return client


def enforce(page: Client, connection: SsoConnection) -> str:
    answer = page.post(f"/orgs/acme/sso/{connection.id}/policy", ENFORCED)
    return str(answer["Location"])


def test_enforcement_ends_password_sessions_of_the_domains_people(
    connection: SsoConnection, provider: Provider, alice: User, bob: User, stranger: User
) -> None:
    owner, member, elsewhere = signed_in(alice), signed_in(bob), signed_in(stranger)
    by_sso = signed_in_by_sso(provider)
    assert enforce(owner, connection) == "/orgs/acme/sso"
    assert member.get("/orgs")["Location"] == "/sign-in?next=/orgs"
    assert [client.get("/orgs").status_code for client in (owner, elsewhere, by_sso)] == [200, 200, 200]
    entry = AuditEntry.objects.get(account_id=connection.account_id, action="sso.sessions_end")
    assert entry.after == {"sessions": 1}


def test_who_is_no_owner_ends_their_own_session_with_it(
    connection: SsoConnection, bob: User, acme: Account
) -> None:
    Membership.objects.filter(account=acme, user=bob).update(role=Role.ADMIN)
    page = signed_in(bob)
    assert enforce(page, connection) == "/sign-in/sso?required=1"
    assert user_id_of(page) is None
    connection.refresh_from_db()
    assert connection.is_enforced is True


def test_saving_it_again_ends_nothing(
    connection: SsoConnection, provider: Provider, alice: User, bob: User
) -> None:
    owner = signed_in(alice)
    enforce(owner, connection)
    provider.email = bob.email
    member = signed_in_by_sso(provider)
    enforce(owner, connection)
    assert member.get("/orgs").status_code == 200
    assert not AuditEntry.objects.filter(action="sso.sessions_end").exists()


def test_a_further_domain_ends_the_sessions_of_its_people(
    connection: SsoConnection, alice: User, stranger: User
) -> None:
    elsewhere = signed_in(stranger)
    enforce(signed_in(alice), connection)
    connection.refresh_from_db()
    domain = connections.domain_add(connection=connection, domain="elsewhere.test", actor=SYSTEM)
    assert elsewhere.get("/orgs").status_code == 200
    connections.domain_approve(domain=domain, actor=SYSTEM)
    assert elsewhere.get("/orgs").status_code == 302
