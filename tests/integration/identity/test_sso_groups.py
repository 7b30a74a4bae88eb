"""Groups of the identity provider as roles (spec 05, 2.7)."""

import re

import pytest
import requests
from django.test import Client

from apps.audit.models import AuditEntry
from apps.audit.services import SYSTEM
from apps.identity.models import User
from apps.signin.models import SsoConnection
from apps.signin.services import connections
from apps.signin.sso.configuration import OidcConfig
from apps.signin.sso.groups import groups_of
from apps.tenancy.models import Account, Membership, Role
from tests.integration.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.integration.identity.people import Visitor, sign_in, user_id_of
from tests.integration.identity.sso import connect, leave

ROLES = [["cn=ops,dc=acme", "operator"], ["devs", "developer"], ["admins", "admin"]]


@pytest.fixture
def connection(acme: Account, provider: Provider) -> SsoConnection:
    """Its default role is that of operators."""
    made = connect(acme, OidcConfig(provider.url, CLIENT_ID, CLIENT_SECRET))
    connections.connection_map_groups(
        connection=made, group_attribute="memberOf", group_roles=ROLES, actor=SYSTEM
    )
    return made


def come(provider: Provider, email: str, groups: list[str] | str | None) -> None:
    client = Visitor()
    provider.email, provider.claims = email, {"memberOf": groups}
    there = requests.get(leave(client, email), allow_redirects=False, timeout=10)
    client.get(there.headers["Location"].removeprefix("http://testserver"))
    assert user_id_of(client) == str(User.objects.get(email=email).pk)


def role(email: str) -> str:
    return Membership.objects.get(user__email=email).role


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["everybody", "admins"], Role.ADMIN),
        (["admins", "devs"], Role.DEVELOPER),
        ("devs", Role.DEVELOPER),
        (["everybody"], Role.OPERATOR),
        (None, Role.OPERATOR),
    ],
)
def test_the_first_group_that_fits_is_the_role(
    provider: Provider, groups: list[str] | str | None, expected: Role
) -> None:
    come(provider, "dora@acme.test", groups)
    assert role("dora@acme.test") == expected


@pytest.mark.usefixtures("connection")
def test_members_follow_their_groups_down_too(provider: Provider, bob: User, acme: Account) -> None:
    come(provider, bob.email, ["admins"])
    assert role(bob.email) == Role.ADMIN
    come(provider, bob.email, None)
    assert role(bob.email) == Role.OPERATOR
    entries = AuditEntry.objects.filter(account_id=acme.id, action="member.role").order_by("number")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"role": "developer"}, {"role": "admin", "by": "Acme ID"}),
        ({"role": "admin"}, {"role": "operator", "by": "Acme ID"}),
    ]


@pytest.mark.usefixtures("connection")
def test_owners_stay_owners(provider: Provider, alice: User) -> None:
    come(provider, alice.email, ["devs"])
    assert role(alice.email) == Role.OWNER


def test_without_groups_members_stay_what_they_are(
    provider: Provider, connection: SsoConnection, bob: User
) -> None:
    connections.connection_map_groups(
        connection=connection, group_attribute="memberOf", group_roles=[], actor=SYSTEM
    )
    come(provider, bob.email, ["admins"])
    assert role(bob.email) == Role.DEVELOPER


def test_nobody_becomes_an_owner(connection: SsoConnection) -> None:
    with pytest.raises(connections.OwnersAreMade):
        connections.connection_map_groups(
            connection=connection, group_attribute="groups", group_roles=[["a", "owner"]], actor=SYSTEM
        )
    connection.refresh_from_db()
    assert connection.group_roles == ROLES


def userinfo_of(email: str, **claims: object) -> dict[str, object]:
    return {"sub": f"subject of {email}", "email": email, **claims}


@pytest.mark.usefixtures("connection")
def test_groups_that_only_userinfo_names_count_too(provider: Provider) -> None:
    provider.userinfo = userinfo_of("dora@acme.test", memberOf=["admins"])
    come(provider, "dora@acme.test", None)
    assert role("dora@acme.test") == Role.ADMIN


@pytest.mark.usefixtures("connection")
def test_userinfo_adds_to_what_is_signed_and_does_not_replace_it(provider: Provider, alice: User) -> None:
    subject = userinfo_of("dora@acme.test")["sub"]
    provider.userinfo = userinfo_of(alice.email, sub=subject, name="Alice", memberOf=["admins"])
    come(provider, "dora@acme.test", None)
    dora = User.objects.get(email="dora@acme.test")
    assert (dora.name, role(dora.email), role(alice.email)) == ("Dora of Acme", Role.ADMIN, Role.OWNER)


@pytest.mark.usefixtures("connection")
def test_groups_of_somebody_else_sign_nobody_in(provider: Provider, bob: User) -> None:
    provider.email, provider.claims = bob.email, {"memberOf": None}
    provider.userinfo = userinfo_of(bob.email, sub="somebody else", memberOf=["admins"])
    client = Visitor()
    there = requests.get(leave(client, bob.email), allow_redirects=False, timeout=10)
    client.get(there.headers["Location"].removeprefix("http://testserver"))
    assert (user_id_of(client), role(bob.email)) == (None, Role.DEVELOPER)


def test_userinfo_is_asked_only_for_groups_that_are_wanted_and_missing(
    provider: Provider, connection: SsoConnection
) -> None:
    provider.userinfo = userinfo_of("dora@acme.test", memberOf=["admins"])
    come(provider, "dora@acme.test", ["devs"])
    assert (provider.userinfo_requests, role("dora@acme.test")) == (0, Role.DEVELOPER)
    come(provider, "dora@acme.test", [])
    assert (provider.userinfo_requests, role("dora@acme.test")) == (0, Role.OPERATOR)
    connections.connection_map_groups(
        connection=connection, group_attribute="memberOf", group_roles=[], actor=SYSTEM
    )
    come(provider, "dora@acme.test", None)
    assert provider.userinfo_requests == 0


def test_further_scopes_are_asked_for_where_the_connection_says_so(
    provider: Provider, connection: SsoConnection
) -> None:
    usual = {"openid", "profile", "email"}
    come(provider, "dora@acme.test", None)
    assert set(provider.scopes) == usual
    connections.connection_map_groups(
        connection=connection,
        group_attribute="memberOf",
        group_roles=ROLES,
        extra_scopes="groups offline_access",
        actor=SYSTEM,
    )
    come(provider, "dora@acme.test", None)
    assert set(provider.scopes) == usual | {"groups", "offline_access"}
    entry = AuditEntry.objects.filter(action="sso.groups").order_by("number").last()
    assert entry is not None
    assert (entry.before["extra_scopes"], entry.after["extra_scopes"]) == ("", "groups offline_access")


def test_the_page_takes_scopes_and_says_what_is_none(
    browser: Client, connection: SsoConnection, alice: User
) -> None:
    sign_in(browser, alice.email)
    path = f"/orgs/acme/sso/{connection.id}/groups"
    form = {"group_attribute": "groups", "extra_scopes": " groups  openid urn:x:y groups"}
    assert browser.post(path, form)["Location"] == "/orgs/acme/sso"
    connection.refresh_from_db()
    assert connection.extra_scopes == "groups urn:x:y"
    assert 'value="groups urn:x:y"' in browser.get("/orgs/acme/sso").content.decode()
    wrong = browser.post(path, form | {"extra_scopes": 'groups a"b'})
    assert wrong.status_code == 422
    assert "a&quot;b is no name of a scope." in wrong.content.decode()
    connection.refresh_from_db()
    assert connection.extra_scopes == "groups urn:x:y"


def test_saml_has_no_scopes(browser: Client, connection: SsoConnection, alice: User) -> None:
    SsoConnection.objects.filter(id=connection.id).update(kind="saml")
    sign_in(browser, alice.email)
    page = browser.get("/orgs/acme/sso").content.decode()
    assert "Roles of groups" in page
    assert "Further scopes" not in page


def test_a_saml_attribute_is_read_too(connection: SsoConnection) -> None:
    assert groups_of(connection, {"memberOf": ["a", "b"], "email": ["x"]}) == ["a", "b"]
    assert groups_of(connection, {"email": ["x"]}) == []


def test_the_page_takes_lines_and_says_what_is_wrong_with_one(
    browser: Client, connection: SsoConnection, alice: User
) -> None:
    sign_in(browser, alice.email)
    path = f"/orgs/acme/sso/{connection.id}/groups"
    good = {"group_attribute": "groups", "group_roles": " cn=ops,dc=acme = viewer \n\n devs=developer"}
    assert browser.post(path, good)["Location"] == "/orgs/acme/sso"
    connection.refresh_from_db()
    stored = [["cn=ops,dc=acme", "viewer"], ["devs", "developer"]]
    assert (connection.group_attribute, connection.group_roles) == ("groups", stored)
    assert "cn=ops,dc=acme = viewer\ndevs = developer" in browser.get("/orgs/acme/sso").content.decode()
    for wrong in ("devs = owner", "devs", "= viewer"):
        answer = browser.post(path, good | {"group_roles": wrong})
        assert answer.status_code == 422
        assert "write group = role" in answer.content.decode()
    connection.refresh_from_db()
    assert connection.group_roles == stored


@pytest.mark.usefixtures("connection")
def test_the_test_of_a_connection_shows_groups_of_userinfo(
    browser: Client, provider: Provider, connection: SsoConnection, alice: User
) -> None:
    """Also before it is turned on."""
    SsoConnection.objects.filter(id=connection.id).update(is_enabled=False)
    provider.email, provider.claims = "dora@acme.test", {"memberOf": None}
    provider.userinfo = userinfo_of("dora@acme.test", memberOf=["devs"])
    sign_in(browser, alice.email)
    begun = browser.post(f"/orgs/acme/sso/{connection.id}/test")
    found = re.search(r'href="([^"]+)" rel="noreferrer"', begun.content.decode())
    assert found is not None
    there = requests.get(found[1].replace("&amp;", "&"), allow_redirects=False, timeout=10)
    page = browser.get(there.headers["Location"].removeprefix("http://testserver")).content.decode()
    assert "<p>Developer</p>" in page
    assert "userinfo.memberOf" in page
