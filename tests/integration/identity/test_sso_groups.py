"""Groups of the identity provider as roles (spec 05, 2.7)."""

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
