"""A server in server mode that sends mail, with one organisation and its people."""

from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from apps.audit.actors import SYSTEM
from apps.credentials.services.provisioning import organisation_provision
from apps.identity.models import User
from apps.tenancy.models import Account, Membership, Role
from tests.integration.identity.oidc_provider import Provider, serve
from tests.integration.identity.people import PASSWORD, Visitor


@pytest.fixture
def server(db: None, settings: Settings, redis_url: str) -> Iterator[Settings]:
    settings.STEPWELL_MODE = "server"
    settings.REDIS_URL = redis_url
    settings.IS_MAIL_CONFIGURED = True
    settings.STEPWELL_SIGN_UP = "open"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = True
    settings.MFA_ALLOW_UNVERIFIED_EMAIL = False
    cache.clear()
    yield settings
    cache.clear()


def _person(email: str, name: str) -> User:
    user = User.objects.create_user(email, PASSWORD, name=name)
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


@pytest.fixture
def alice(server: Settings) -> User:
    """The owner of Acme."""
    return _person("alice@acme.test", "Alice")


@pytest.fixture
def acme(alice: User) -> Account:
    return organisation_provision(name="Acme", owner=alice, actor=SYSTEM)


@pytest.fixture
def bob(acme: Account) -> User:
    """A developer of Acme."""
    user = _person("bob@acme.test", "Bob")
    Membership.objects.create(account=acme, user=user, role=Role.DEVELOPER)
    return user


@pytest.fixture
def stranger(server: Settings) -> User:
    return _person("charlie@elsewhere.test", "Charlie")


@pytest.fixture
def browser() -> Client:
    return Visitor()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider of OpenID Connect on loopback."""
    made = Provider()
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()
