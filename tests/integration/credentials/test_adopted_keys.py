"""The key that a server was started with, once its environment's page shows it: rotated like any other."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from apps.audit.services import SYSTEM
from apps.credentials.caller import Caller, Refused
from apps.credentials.models import SigningKeyState
from apps.credentials.process import forget_resolvers, process_resolver
from apps.credentials.services import (
    signing_key_create_pending,
    signing_key_revoke_retired,
    signing_key_rotate,
)
from apps.credentials.signing import key_set
from apps.credentials.uses import READ
from apps.identity.models import User
from apps.signin.services.first_account import account_take_over
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment
from apps.tenancy.permissions import Permission
from tests.integration.credentials.world import signing_key_of

pytestmark = pytest.mark.django_db

STARTED_WITH = f"signkey-prod-{'ab' * 32}"


@pytest.fixture
def production(server: None, settings: Settings) -> Environment:
    settings.STEPWELL_SIGNING_KEY = STARTED_WITH
    account_take_over(name="Acme", owner=User.objects.create_user("alice@acme.test"), actor=SYSTEM)
    return Environment.objects.get(id=DEV_ENVIRONMENT_ID)


def caller(secret: str) -> Caller | Refused:
    """As a process answers that has not seen the secret before."""
    forget_resolvers()
    return process_resolver().bearer_sync(secret, use=READ, permission=Permission.VIEW)


def code_of(found: Caller | Refused) -> str:
    return found.code if isinstance(found, Refused) else ""


def test_it_signs_and_is_accepted_until_it_is_rotated(production: Environment) -> None:
    assert key_set(production.id).values == [STARTED_WITH]
    found = caller(STARTED_WITH)
    assert isinstance(found, Caller)
    assert found.credential_id == str(signing_key_of(production).id)

    signing_key_create_pending(environment=production, actor=SYSTEM)
    signing_key_rotate(environment=production, actor=SYSTEM, grace=timedelta(hours=1))
    keys = key_set(production.id)
    assert keys.signs != STARTED_WITH
    assert keys.values == [keys.signs, STARTED_WITH]
    assert code_of(caller(STARTED_WITH)) == ""

    retired = signing_key_of(production, SigningKeyState.RETIRED)
    signing_key_revoke_retired(signing_key=retired, actor=SYSTEM)
    assert key_set(production.id).values == [keys.signs]
    assert code_of(caller(STARTED_WITH)) == "auth_revoked"
    assert code_of(caller(keys.signs)) == ""


def test_a_key_that_no_row_knows_is_the_operators(production: Environment, settings: Settings) -> None:
    """Who starts the server with another one means it."""
    settings.STEPWELL_SIGNING_KEY = other = f"signkey-prod-{'cd' * 32}"
    assert key_set(production.id).values == [other, STARTED_WITH]
    assert code_of(caller(other)) == ""
