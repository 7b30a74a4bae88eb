"""Two organisations in server mode, over the data of the seed: `python -m tests.browser.seed tenants`."""

import json
import sys
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from apps.audit.actors import Actor
from apps.audit.models import ActorKind
from apps.credentials.permissions import PRESETS
from apps.credentials.services import api_key_create, event_key_create, signing_key_create_pending
from apps.credentials.services.provisioning import environment_add, organisation_provision
from apps.identity.models import User
from apps.signin.services.first_account import account_take_over
from apps.tenancy.access import access_for
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Account, Environment, EnvironmentType, Membership, Role
from apps.tenancy.services.environments import environment_archive
from apps.tenancy.services.invitations import invitation_create
from apps.webhooks.choices import Outcome, Verified
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.services.webhooks import webhook_create
from tests.browser import seed_history, seed_registry

LONG_ENVIRONMENT: Final = "Acceptance tests of the department for logistics and returns in the north"
BRANCHES: Final = ("feature/checkout-with-a-rather-long-name-that-somebody-chose", "fix/refunds", "main")
PASSWORD: Final = "deep water runs cold"
_BODY: Final = (
    b'{"id": "evt_1", "type": "invoice.paid", "created": 1760000000, "data": {"object": {"id": "in_1"}}}'
)


def write() -> None:
    """Prints the session keys of Alice (owner), Bob (developer) and Audrey (auditor), by name."""
    alice = User.objects.create_superuser("alice@acme.test", PASSWORD, name="Alice Anders")
    actor = Actor(ActorKind.USER, str(alice.id), alice.email, ip="203.0.113.7")
    acme = account_take_over(name="Acme", owner=alice, actor=actor)
    organisation_provision(name="Northwind Traders International", owner=alice, actor=actor)
    people = {"alice": alice, "bob": _member(acme, "Bob", Role.DEVELOPER)}
    people["audrey"] = _member(acme, "Audrey", Role.AUDITOR)
    for name in ("Staging", LONG_ENVIRONMENT):
        environment_add(account=acme, name=name, actor=actor)
    canary = environment_add(account=acme, name="Old canary", actor=actor)
    environment_archive(environment=canary, actor=actor)
    _branches(acme)
    _credentials(acme, actor)
    invitation_create(
        access=access_for(alice, acme.slug),
        email="a.person.with.a.long.address@subsidiary.example.com",
        role=Role.VIEWER,
        actor=actor,
    )
    seed_registry.write()
    seed_history.write_full()
    sys.stdout.write(json.dumps({name: _session(user) for name, user in people.items()}))


def _member(acme: Account, name: str, role: Role) -> User:
    user = User.objects.create_user(f"{name.lower()}@acme.test", PASSWORD, name=name)
    Membership.objects.create(account=acme, user=user, role=role)
    return user


def _branches(acme: Account) -> None:
    parent = acme.environments.get(type=EnvironmentType.BRANCH_PARENT)
    now = timezone.now()
    for number, name in enumerate(BRANCHES):
        Environment.objects.create(
            account=acme,
            parent=parent,
            type=EnvironmentType.BRANCH_CHILD,
            name=name,
            name_norm=name,
            slug=name.replace("/", "-"),
            last_synced_at=now - timedelta(hours=number),
            auto_archive_at=now + timedelta(days=2),
            is_auto_archived=number != 2,
        )


def _credentials(acme: Account, actor: Actor) -> None:
    production = acme.environments.get(id=DEV_ENVIRONMENT_ID)
    for name in ("Shop backend", "A sender with quite a long name, run by the partners in the north"):
        event_key_create(environment=production, name=name, actor=actor)
    signing_key_create_pending(environment=production, actor=actor)
    for name, preset in (("Payments", "stripe"), ("Pull requests", "github")):
        webhook_create(environment=production, name=name, preset=preset, actor=actor)
    for name, preset in (("Deploys from CI", "deploy"), ("Grafana", "metrics")):
        api_key_create(
            account=acme, environment=production, name=name, permissions=PRESETS[preset], actor=actor
        )
    hook = Webhook.objects.select_related("key").get(key__name="Payments")
    write_delivery(hook, 1, Outcome.ACCEPTED, 200, ["stripe/invoice.paid"])
    write_delivery(hook, 2, Outcome.FAILED, 400, [], "TypeError: evt.data is undefined")
    write_delivery(hook, 3, Outcome.UNVERIFIED, 401, [], "The signature does not match")


def write_delivery(
    hook: Webhook, number: int, outcome: Outcome, status: int, names: list[str], error: str = ""
) -> None:
    Delivery.objects.create(
        id=f"01JZ00000000000000000D000{number}",
        webhook=hook,
        environment_id=hook.key.environment_id,
        received_at=timezone.now(),
        method="POST",
        ip="203.0.113.9",
        status=status,
        outcome=outcome,
        verified=Verified.NO if outcome == Outcome.UNVERIFIED else Verified.NOT_CHECKED,
        duration_ms=4,
        event_names=names,
        error=error,
        headers={"Content-Type": "application/json", "User-Agent": "Stripe/1.0"},
        body=_BODY,
        body_bytes=len(_BODY),
    )


def _session(user: User) -> str:
    """As signing in makes one."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)
