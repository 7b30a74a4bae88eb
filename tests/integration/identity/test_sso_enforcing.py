"""Turning on "they cannot sign in otherwise" ends the sessions that began otherwise (spec 05, 2.7)."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
import requests
from django.core.cache import cache
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.services import connections
from apps.signin.session_limits import is_live
from apps.signin.sso.configuration import OidcConfig
from apps.tenancy.access import access_for
from apps.tenancy.models import Account, Membership, Role
from apps.tenancy.services import memberships
from tests.integration.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.integration.identity.people import Visitor, sign_in, totp_code, user_id_of, with_totp
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


def demote(alice: User, membership: Membership) -> None:
    memberships.membership_edit(
        access=access_for(alice, "acme"),
        membership_id=membership.id,
        role=Role.ADMIN,
        environment_ids=[],
        actor=SYSTEM,
    )


def depart(_: User, membership: Membership) -> None:
    memberships.membership_leave(account=membership.account, user=membership.user, actor=SYSTEM)


@pytest.mark.parametrize("act", [demote, depart])
def test_who_is_owner_no_more_keeps_no_session_with_a_password(
    connection: SsoConnection,
    provider: Provider,
    alice: User,
    bob: User,
    act: Callable[[User, Membership], None],
) -> None:
    membership = Membership.objects.get(user=bob)
    Membership.objects.filter(id=membership.id).update(role=Role.OWNER)
    provider.email = bob.email
    owner, second, by_sso = signed_in(alice), signed_in(bob), signed_in_by_sso(provider)
    enforce(owner, connection)
    assert second.get("/orgs").status_code == 200
    act(alice, membership)
    assert second.get("/orgs")["Location"] == "/sign-in?next=/orgs"
    assert [client.get("/orgs").status_code for client in (owner, by_sso)] == [200, 200]
    entry = AuditEntry.objects.get(account_id=connection.account_id, action="sso.sessions_end")
    assert entry.after == {"sessions": 1}


def test_who_gives_the_organisation_away_signs_in_again(
    connection: SsoConnection, alice: User, bob: User
) -> None:
    owner = signed_in(alice)
    enforce(owner, connection)
    heir = Membership.objects.get(user=bob)
    answer = owner.post(f"/o/acme/settings/members/{heir.id}/owner")
    assert answer.status_code == 302
    assert owner.get(answer["Location"])["Location"].startswith("/sign-in?")
    assert user_id_of(owner) is None
    assert Membership.objects.get(user=alice).role == Role.ADMIN


def test_an_owner_of_no_enforced_connection_keeps_their_sessions(
    connection: SsoConnection, alice: User, bob: User
) -> None:
    membership = Membership.objects.get(user=bob)
    Membership.objects.filter(id=membership.id).update(role=Role.OWNER)
    second = signed_in(bob)
    demote(alice, membership)
    assert second.get("/orgs").status_code == 200


def test_a_sign_in_that_is_under_way_comes_to_nothing(
    connection: SsoConnection, alice: User, bob: User
) -> None:
    secret, member = with_totp(bob), Visitor()
    assert sign_in(member, bob.email)["Location"] == "/sign-in/second-factor"
    enforce(signed_in(alice), connection)
    answer = member.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert answer["Location"] == "/sign-in/sso?required=1"
    assert user_id_of(member) is None
    assert member.post("/sign-in/second-factor", {"code": totp_code(secret)})["Location"] == "/sign-in"


def test_single_sign_on_with_a_second_factor_goes_on_through_enforcement(
    connection: SsoConnection, provider: Provider, alice: User, bob: User
) -> None:
    secret, member = with_totp(bob), Visitor()
    provider.email = bob.email
    there = requests.get(leave(member, bob.email), allow_redirects=False, timeout=10)
    member.get(there.headers["Location"].removeprefix("http://testserver"))
    enforce(signed_in(alice), connection)
    member.post("/sign-in/second-factor", {"code": totp_code(secret)})
    assert user_id_of(member) == str(bob.pk)
    assert member.get("/orgs").status_code == 200


@pytest.mark.parametrize("path", ["/orgs", "/o/acme/env/production/runs"])
def test_a_session_that_enforcement_has_missed_ends_at_the_next_look(
    connection: SsoConnection, bob: User, path: str
) -> None:
    """It began while enforcement was being saved, or its person has come to the domain since."""
    member = signed_in(bob)
    assert is_live(bob.id, member.session.session_key or "")
    SsoConnection.objects.filter(id=connection.id).update(is_enforced=True)
    assert not is_live(bob.id, member.session.session_key or "")
    cache.clear()
    assert member.get(path)["Location"] == f"/sign-in?{urlencode({'next': path})}"
    assert user_id_of(member) is None
