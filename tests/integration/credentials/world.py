"""Two organisations with their keys, and what they present."""

from dataclasses import dataclass
from uuid import UUID

from apps.audit.services import SYSTEM
from apps.credentials import secrets
from apps.credentials.models import EventKey, SigningKey, SigningKeyState
from apps.credentials.services import organisation_provision
from apps.identity.models import User
from apps.tenancy.models import Account, Environment, EnvironmentType


@dataclass
class Organisation:
    account: Account
    owner: User

    @property
    def production(self) -> Environment:
        return self.account.environments.get(type=EnvironmentType.PRODUCTION)

    @property
    def branches(self) -> Environment:
        return self.account.environments.get(type=EnvironmentType.BRANCH_PARENT)

    def branch(self, name: str) -> Environment:
        return self.account.environments.get(type=EnvironmentType.BRANCH_CHILD, name=name)


def organisation(name: str) -> Organisation:
    owner = User.objects.create_user(f"owner@{name.lower()}.example")
    return Organisation(organisation_provision(name=name, owner=owner, actor=SYSTEM), owner)


def event_key_of(environment: Environment) -> EventKey:
    return EventKey.objects.get(environment=environment, is_default=True)


def event_key(environment: Environment) -> str:
    """The plaintext of the default event key."""
    return secrets.decrypt(event_key_of(environment).value_encrypted)


def signing_key_of(environment: Environment, state: SigningKeyState = SigningKeyState.ACTIVE) -> SigningKey:
    return SigningKey.objects.get(environment=environment, state=state)


def signing_key(environment: Environment, state: SigningKeyState = SigningKeyState.ACTIVE) -> str:
    return secrets.decrypt(signing_key_of(environment, state).value_encrypted)


def bearer(secret: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", **headers}


def ids(environment: Environment) -> tuple[UUID, UUID]:
    return environment.account_id, environment.id
