"""Server mode with the cast of two organisations: Alice owns Acme, Bob develops, Vera views, Audrey audits,
Olga operates; Charlie belongs elsewhere."""

from collections.abc import Callable

import pytest
from django.test import Client

from apps.audit.actors import SYSTEM
from apps.credentials.services.provisioning import environment_add, organisation_provision
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, EnvironmentType, Membership, Role
from tests.integration.identity.conftest import acme, alice, bob, server, stranger
from tests.integration.identity.people import PASSWORD, Visitor

__all__ = ["acme", "alice", "bob", "server", "stranger"]

SignedIn = Callable[[User], Client]


@pytest.fixture
def signed_in(acme: Account) -> SignedIn:
    def visit(user: User) -> Client:
        browser = Visitor()
        browser.force_login(user)
        return browser

    return visit


def _member(acme: Account, name: str, role: Role) -> User:
    user = User.objects.create_user(f"{name.lower()}@acme.test", PASSWORD, name=name)
    Membership.objects.create(account=acme, user=user, role=role)
    return user


@pytest.fixture
def admin(acme: Account) -> User:
    return _member(acme, "Ada", Role.ADMIN)


@pytest.fixture
def operator(acme: Account) -> User:
    return _member(acme, "Olga", Role.OPERATOR)


@pytest.fixture
def viewer(acme: Account) -> User:
    return _member(acme, "Vera", Role.VIEWER)


@pytest.fixture
def auditor(acme: Account) -> User:
    return _member(acme, "Audrey", Role.AUDITOR)


@pytest.fixture
def elsewhere(stranger: User) -> Account:
    return organisation_provision(name="Elsewhere", owner=stranger, actor=SYSTEM)


@pytest.fixture
def production(acme: Account) -> Environment:
    return acme.environments.get(type=EnvironmentType.PRODUCTION)


@pytest.fixture
def staging(acme: Account) -> Environment:
    return environment_add(account=acme, name="Staging", actor=SYSTEM)


@pytest.fixture
def branch_parent(acme: Account) -> Environment:
    return acme.environments.get(type=EnvironmentType.BRANCH_PARENT)


@pytest.fixture
def branch(acme: Account, branch_parent: Environment) -> Environment:
    return Environment.objects.create(
        account=acme,
        parent=branch_parent,
        type=EnvironmentType.BRANCH_CHILD,
        name="feature/checkout",
        name_norm="feature/checkout",
        slug="feature-checkout",
    )
