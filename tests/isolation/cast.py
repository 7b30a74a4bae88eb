"""Who and what every isolation test has: people with roles in Acme, a stranger who owns Globex, and three
environments (production and staging of Acme, production of Globex) with one of each thing in every one.

What an environment holds carries its marker in every name and payload, so that an answer which shows another
environment's things is found by that word.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import redis
from django.conf import settings
from django.utils import timezone

from apps.audit.services import SYSTEM
from apps.audit_sinks.services import sink_set
from apps.credentials import secrets
from apps.credentials.models import EventKey, SigningKey, SigningKeyState
from apps.credentials.services import (
    api_key_create,
    organisation_provision,
    signing_key_create_pending,
    signing_key_rotate,
)
from apps.credentials.services.provisioning import environment_provision
from apps.engine import clock
from apps.engine.bridge import engine_call
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.functions import FunctionSpec, encode_spec
from apps.engine.keys import Keys
from apps.engine.protocol.ids import new_ulid
from apps.engine.records import EventHandled, RunEnded, RunScheduled, RunStarted, StepRecorded
from apps.engine.store.requests import RerunRequest
from apps.identity.models import User
from apps.operations.choices import CancellationCause, CancellationStatus
from apps.operations.models import Cancellation
from apps.registry.app_urls import normalise
from apps.registry.choices import SyncStatus
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.runs.history.batch import Batch
from apps.runs.history.store import HistoryStore
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.tenancy.access import access_for
from apps.tenancy.models import Account, Environment, EnvironmentType, Membership, Role
from apps.tenancy.permissions import Permission
from apps.tenancy.services.accounts import account_set_support_access
from apps.tenancy.services.environments import environment_create
from apps.tenancy.services.invitations import invitation_create
from apps.webhooks.choices import Outcome
from apps.webhooks.models import Delivery
from apps.webhooks.services.webhooks import webhook_create

STEP = "a" * 40


@dataclass(frozen=True)
class Place:
    """An environment and the ids of what is in it. `run_id` lives; `ended_run_id` is history."""

    marker: str
    environment: Environment
    app: App
    function: Function
    run_id: str
    ended_run_id: str
    event_id: str
    cancellation_id: str
    ids: Mapping[str, uuid.UUID | str]  # of what is looked after: keys, a webhook and its delivery, people
    event_key: str
    signing_key: str

    @property
    def account(self) -> Account:
        return self.environment.account

    @property
    def account_id(self) -> uuid.UUID:
        return self.environment.account_id

    @property
    def env_id(self) -> str:
        return str(self.environment.id)

    @property
    def event_name(self) -> str:
        return f"{self.marker}/happened"

    @property
    def path(self) -> str:
        return f"/o/{self.account.slug}/env/{self.environment.slug}"

    def api_key(self, *permissions: Permission) -> str:
        """The plaintext of a new API key with exactly these."""
        _, secret = api_key_create(
            account=self.account,
            environment=self.environment,
            name=f"{self.marker} {uuid.uuid4().hex[:8]}",
            permissions=list(permissions),
            actor=SYSTEM,
        )
        return secret


@dataclass(frozen=True)
class People:
    """`role_of` has everybody but the stranger."""

    alice: User  # owner of Acme
    adam: User  # admin
    dora: User  # developer
    vera: User  # viewer
    bill: User  # billing: sees nothing of what runs
    mallory: User  # owns Globex, is nobody in Acme
    oscar: User  # operates the server, is nobody's member

    def of_role(self, role: Role) -> User:
        return _ROLES[role](self)


_ROLES: Final[Mapping[Role, Callable[[People], User]]] = {
    Role.OWNER: lambda people: people.alice,
    Role.ADMIN: lambda people: people.adam,
    Role.DEVELOPER: lambda people: people.dora,
    Role.VIEWER: lambda people: people.vera,
    Role.BILLING: lambda people: people.bill,
}
CAST_ROLES = tuple(_ROLES)


@dataclass(frozen=True)
class Stage:
    people: People
    production: Place
    staging: Place
    globex: Place

    @property
    def others(self) -> list[Place]:
        """The places that nobody who asks about Acme's production may see."""
        return [self.staging, self.globex]

    @property
    def acme(self) -> Account:
        return self.production.account


def make_stage(marker: str = "acmeprod") -> Stage:
    """`marker` is that of Acme's production."""
    people = People(
        *(_person(name) for name in ("alice", "adam", "dora", "vera", "bill", "mallory", "oscar"))
    )
    User.objects.filter(id=people.oscar.id).update(is_staff=True)
    acme = organisation_provision(name="Acme", owner=people.alice, actor=SYSTEM)
    globex = organisation_provision(name="Globex", owner=people.mallory, actor=SYSTEM)
    account_set_support_access(account=globex, is_allowed=False, actor=SYSTEM)
    for role in (Role.ADMIN, Role.DEVELOPER, Role.VIEWER, Role.BILLING):
        Membership.objects.create(account=acme, user=people.of_role(role), role=role)
    staging = environment_create(account=acme, name="Staging", actor=SYSTEM)
    environment_provision(staging, SYSTEM)
    of_acme = _of_organisation(acme, people.alice, people.dora)
    of_globex = _of_organisation(globex, people.mallory, people.mallory)
    return Stage(
        people,
        _place(acme.environments.get(type=EnvironmentType.PRODUCTION), marker, of_acme),
        _place(staging, "acmestage", of_acme),
        _place(globex.environments.get(type=EnvironmentType.PRODUCTION), "globexprod", of_globex),
    )


def _person(name: str) -> User:
    return User.objects.create_user(f"{name}@isolation.example", name=name.title())


def _of_organisation(account: Account, owner: User, member: User) -> dict[str, uuid.UUID]:
    """What belongs to no environment: a connection with a domain, an invitation, an API key, a member."""
    # Nobody listens on that port.
    config = {"issuer": "http://127.0.0.1:9", "client_id": "stepwell", "client_secret": "s"}
    connection = SsoConnection.objects.create(
        account=account,
        kind=SsoKind.OIDC,
        name=f"sso-{account.slug}",
        config_encrypted=secrets.encrypt(json.dumps(config)),
    )
    sink_set(account=account, url=f"https://collector.{account.slug}.example/audit", actor=SYSTEM)
    domain = SsoDomain.objects.create(connection=connection, domain=f"{account.slug}.example", token="t")
    invited = invitation_create(
        access=access_for(owner, account.slug),
        email=f"new@{account.slug}.example",
        role=Role.VIEWER,
        environment_ids=[],
        actor=SYSTEM,
    )
    key, _ = api_key_create(
        account=account,
        environment=None,
        name=f"api-{account.slug}",
        permissions=[Permission.VIEW],
        actor=SYSTEM,
    )
    return {
        "connection": connection.id,
        "domain": domain.id,
        "invitation": invited.invitation.id,
        "api_key": key.id,
        "membership": Membership.objects.get(account=account, user=member).id,
    }


def _place(environment: Environment, marker: str, of_organisation: Mapping[str, uuid.UUID]) -> Place:
    app, function = _registered(environment, marker)
    event_id, ended_run_id = _ulid(), _ulid()
    run_id = _live_run(function, event_id, f"{marker}/happened")
    _write_history(function, marker, event_id, ended_run_id, run_id)
    _wait_for_signal(environment, run_id, f"signal-{marker}")
    cancellation = Cancellation.objects.create(
        id=_ulid(),
        account_id=environment.account_id,
        environment=environment,
        app=app,
        function=function,
        name=f"cancel-{marker}",
        started_before=1,
        cause=CancellationCause.API,
        status=CancellationStatus.RUNNING,
        created_at=1,
        due_at=2**53,
    )
    webhook = webhook_create(
        environment=environment,
        name=f"hook-{marker}",
        actor=SYSTEM,
        transform="function transform(evt) { return {name: 'x', data: evt}; }",
    )
    delivery = Delivery.objects.create(
        id=_ulid(),
        webhook=webhook,
        environment_id=environment.id,
        received_at=timezone.now(),
        method="POST",
        status=200,
        outcome=Outcome.ACCEPTED,
        body=json.dumps({"secret": marker}).encode(),
        body_bytes=20,
    )
    key = EventKey.objects.get(environment=environment, is_default=True)
    signing, retired = _rotated(environment)
    ids: dict[str, uuid.UUID | str] = {
        **of_organisation,
        "environment": environment.id,
        "webhook": webhook.key_id,
        "delivery": delivery.id,
        "event_key": key.id,
        "signing_key": signing.id,
        "retired_key": retired.id,
    }
    return Place(
        marker,
        environment,
        app,
        function,
        run_id,
        ended_run_id,
        event_id,
        cancellation.id,
        ids,
        secrets.decrypt(key.value_encrypted),
        secrets.decrypt(signing.value_encrypted),
    )


def _rotated(environment: Environment) -> tuple[SigningKey, SigningKey]:
    """The active signing key and a retired one; a pending one is there, too."""
    signing_key_create_pending(environment=environment, actor=SYSTEM)
    signing_key_rotate(environment=environment, actor=SYSTEM)
    signing_key_create_pending(environment=environment, actor=SYSTEM)
    keys = SigningKey.objects.filter(environment=environment)
    return keys.get(state=SigningKeyState.ACTIVE), keys.get(state=SigningKeyState.RETIRED)


def _registered(environment: Environment, marker: str) -> tuple[App, Function]:
    """Published to the engine, as a sync does it."""
    url = f"http://127.0.0.1:9/{quote(marker)}"
    owner = {"account_id": environment.account_id, "environment": environment}
    app = App.objects.create(
        **owner, name=marker, url=url, normalised_url=normalise(url), sdk_language="js", sdk_version="4.2.0"
    )
    sync = Sync.objects.create(
        **owner, app=app, status=SyncStatus.SUCCESS, url=url, last_synced_at=timezone.now()
    )
    function_id = uuid.uuid4()
    spec = FunctionSpec(
        id=str(function_id),
        slug=f"{marker}-work",
        name=f"Work of {marker}",
        app_id=str(app.id),
        app_name=marker,
        env_id=str(environment.id),
        account_id=str(environment.account_id),
        version=1,
        url=url,
    )
    function = Function.objects.create(
        **owner,
        id=function_id,
        app=app,
        slug=spec.slug,
        name=spec.name,
        url=url,
        config="{}",
        config_hash="0",
        spec=encode_spec(spec).decode(),
    )
    FunctionVersion.objects.create(
        **owner, function=function, version=1, config="{}", config_hash="0", sync=sync
    )
    engine_call(lambda engine: engine.publish_functions([spec]))
    return app, function


def _live_run(function: Function, event_id: str, event_name: str) -> str:
    body = json.dumps({"name": event_name, "data": {}}).encode()
    request = RerunRequest(
        str(function.environment_id), str(function.id), [body], [event_id], [event_name], ""
    )
    return engine_call(lambda engine: engine.rerun(request))


def _wait_for_signal(environment: Environment, run_id: str, signal: str) -> None:
    """The run waits, as after a step.waitForSignal."""
    prefix = Keys(settings.STEPWELL_SHARD).prefix
    pause = {"k": "signal", "r": run_id, "s": "step", "e": str(environment.id), "sg": signal}
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.hset(f"{prefix}:p:{run_id}.step", mapping={**pause, "ex": 4_000_000_000_000})
        client.set(f"{prefix}:sig:{environment.id}:{signal}", f"{run_id}.step")


def _write_history(function: Function, marker: str, event_id: str, ended_run_id: str, run_id: str) -> None:
    env_id, at = str(function.environment_id), int(timezone.now().timestamp() * 1000) - 5_000
    name, secret = f"{marker}/happened", json.dumps({"secret": marker})
    body = json.dumps({"id": event_id, "name": name, "ts": at, "data": {"secret": marker}, "user": {}})
    batch, stream_id = Batch(settings.STEPWELL_SHARD), f"{at}-{function.pk.int % 1_000_000}"
    batch.add_event(
        stream_id,
        EventEntry(
            event_id, env_id, str(function.account_id), name, body.encode(), EventContext(source="api")
        ),
    )
    for ident in (ended_run_id, run_id):
        batch.add_records([_scheduled(function, ident, event_id, name, at), RunStarted(ident, at + 10)])
    batch.add_records(
        [
            EventHandled(env_id, event_id, stream_id, at + 5, run_ids=[ended_run_id, run_id]),
            _step(ended_run_id, marker, at + 20, secret.encode()),
            RunEnded(ended_run_id, "Completed", at + 30, secret.encode()),
        ]
    )
    HistoryStore().write(batch)


def _step(run_id: str, marker: str, at: int, output: bytes) -> StepRecorded:
    return StepRecorded(
        run_id,
        STEP,
        0,
        "StepRun",
        "Completed",
        name=f"step-{marker}",
        queued_at=at,
        started_at=at,
        ended_at=at + 1,
        max_attempts=4,
        output=output,
    )


def _scheduled(function: Function, run_id: str, event_id: str, event_name: str, at: int) -> RunScheduled:
    return RunScheduled(
        run_id=run_id,
        account_id=str(function.account_id),
        env_id=str(function.environment_id),
        app_id=str(function.app_id),
        function_id=str(function.id),
        function_version=1,
        queued_at=at,
        scheduled_at=at,
        event_ids=[event_id],
        event_name=event_name,
    )


def _ulid() -> str:
    return new_ulid(clock.now_ms())
