"""The page on which a person lets another service have a webhook: in which organisation and environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from apps.dashboard.places import environment_url
from apps.dashboard.selectors.environments import own_environments
from apps.identity.models import User
from apps.tenancy.access import Access
from apps.tenancy.models import Account, Environment, EnvironmentType
from apps.tenancy.permissions import Permission, permissions_of
from apps.webhooks.intents import Intent

PAGE: Final = "dashboard:webhook-intent"
MAX_ORGANISATIONS: Final = 100
# Its URL is handed on, which is a way of showing it.
NEEDED: Final = frozenset({Permission.WEBHOOK_MANAGE, Permission.EVENT_KEY_REVEAL})


@dataclass(frozen=True, slots=True)
class IntentPage:
    """`fields` are what came with the link, `environments` those in which the person may make a webhook."""

    intent: Intent
    fields: list[tuple[str, str]]
    account: Account
    environment: Environment
    organisations: Sequence[Account]
    environments: Sequence[Environment]
    url: str
    approve_url: str

    @property
    def is_possible(self) -> bool:
        return self.environment in self.environments

    @property
    def is_production(self) -> bool:
        return self.environment.type == EnvironmentType.PRODUCTION


def intent_page(access: Access, environment: Environment, user: User, intent: Intent) -> IntentPage:
    return IntentPage(
        intent=intent,
        fields=_fields(intent),
        account=access.account,
        environment=environment,
        organisations=_organisations(access, user),
        environments=environments_for_webhooks(access),
        url=reverse(PAGE),
        approve_url=reverse(f"{PAGE}-approve"),
    )


def intent_url(account: Account, environment: Environment, intent: Intent) -> str:
    """The same intent in another place."""
    return f"{environment_url(account, environment, PAGE)}?{urlencode(_fields(intent))}"


def environments_for_webhooks(access: Access) -> list[Environment]:
    """Production first. A support access makes nothing."""
    role = access.role
    if role is None:
        return []
    rows = [
        row for row in own_environments(access) if permissions_of(role, EnvironmentType(row.type)) >= NEEDED
    ]
    return sorted(rows, key=lambda row: row.type != EnvironmentType.PRODUCTION)


def _organisations(access: Access, user: User) -> list[Account]:
    rows = Account.objects.filter(memberships__user=user).order_by("name", "id")
    found = list(rows[:MAX_ORGANISATIONS])
    return found if access.account in found else [access.account, *found]


def _fields(intent: Intent) -> list[tuple[str, str]]:
    who = ("domain", intent.domain) if intent.domain else ("name", intent.name)
    return [who, ("redirect_uri", intent.redirect_uri)]
