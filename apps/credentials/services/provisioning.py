"""Environments and organisations with the credentials that they begin with (spec 05, 1.14)."""

from django.db import transaction

from apps.audit.services import Actor
from apps.credentials.models import EventKey, SigningKey, SigningKeyState
from apps.credentials.services import changes
from apps.credentials.services.event_keys import event_key_create
from apps.credentials.services.signing_keys import signing_key_add
from apps.identity.models import User
from apps.tenancy.models import Account, Environment
from apps.tenancy.services.accounts import account_create
from apps.tenancy.services.environments import environment_create

DEFAULT_EVENT_KEY = "Default"


@transaction.atomic
def environment_provision(environment: Environment, actor: Actor) -> None:
    """A default event key and an active signing key, where they are missing; a branch has none."""
    if environment.parent_id is not None:
        return
    if not EventKey.objects.filter(environment=environment, is_default=True).exists():
        event_key_create(environment=environment, name=DEFAULT_EVENT_KEY, actor=actor, is_default=True)
    if not SigningKey.objects.filter(environment=environment, state=SigningKeyState.ACTIVE).exists():
        key = signing_key_add(environment, SigningKeyState.ACTIVE, actor)
        changes.record(key, actor, "key.signing.create", key.prefix)


@transaction.atomic
def environment_add(*, account: Account, name: str, actor: Actor) -> Environment:
    """`environment_create`, with its credentials."""
    environment = environment_create(account=account, name=name, actor=actor)
    environment_provision(environment, actor)
    return environment


@transaction.atomic
def organisation_provision(*, name: str, owner: User, actor: Actor) -> Account:
    """`account_create`, with the credentials of its environments. Raises InvalidName."""
    account = account_create(name=name, owner=owner, actor=actor)
    for environment in account.environments.filter(parent__isnull=True).order_by("type"):
        environment_provision(environment, actor)
    return account
