"""An organisation with one of everything that the operator console shows."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Model
from django.utils import timezone

from apps.audit.actors import SYSTEM
from apps.audit.models import AuditEntry
from apps.audit.services import INSTALLATION_ID, audit_record
from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey
from apps.credentials.services.provisioning import organisation_provision
from apps.events.models import Event
from apps.identity.models import User
from apps.operations.choices import CancellationCause
from apps.operations.models import Cancellation
from apps.registry.choices import SyncStatus
from apps.registry.models import App, Function, FunctionVersion, Sync
from apps.runs.choices import RunStatus
from apps.runs.models import Run
from apps.signin.models import SsoConnection, SsoDomain, SsoKind
from apps.tenancy.models import Account, Environment, EnvironmentType, Invitation, Membership, Role
from apps.webhooks.models import Webhook
from tests.integration.identity.people import PASSWORD

SECRET = "never-to-be-shown"


def populate(number: int) -> dict[str, Model]:
    """The rows by the label of their model. What is secret of them is `SECRET`."""
    owner = User.objects.create_user(f"owner-{number}@tenant.test", PASSWORD, name=f"Owner {number}")
    account = organisation_provision(name=f"Tenant {number}", owner=owner, actor=SYSTEM)
    environment = account.environments.get(type=EnvironmentType.PRODUCTION)
    rows = [account, environment, owner, Membership.objects.get(account=account)]
    rows += _access(number, account, environment, owner)
    rows += _registry(number, account, environment)
    rows += _history(number, environment)
    return {row._meta.label: row for row in rows}


def _access(number: int, account: Account, environment: Environment, owner: User) -> list[Model]:
    now = timezone.now()
    connection = SsoConnection.objects.create(
        account=account, kind=SsoKind.OIDC, name=f"Provider {number}", config_encrypted=SECRET
    )
    SsoDomain.objects.create(connection=connection, domain=f"tenant-{number}.test", token=SECRET)
    return [
        connection,
        EventKey.objects.get(environment=environment),
        SigningKey.objects.get(environment=environment),
        ApiKey.objects.create(account=account, name="CI", value_hash=f"{SECRET}{number}", preview="sk-…1"),
        PersonalToken.objects.create(
            account=account, user=owner, name="CLI", value_hash=f"{SECRET}{number}", preview="pt-…1"
        ),
        Invitation.objects.create(
            account=account,
            email=f"guest-{number}@tenant.test",
            role=Role.VIEWER,
            token_hash=f"{SECRET}{number}",
            expires_at=now + timedelta(days=1),
        ),
        EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True),
        UserSession.objects.create(
            user=owner, ip="192.0.2.1", session_key=f"{SECRET}{number}", user_agent="tests"
        ),
        Authenticator.objects.create(user=owner, type=Authenticator.Type.TOTP, data={"secret": SECRET}),
    ]


def _registry(number: int, account: Account, environment: Environment) -> list[Model]:
    tenant = {"account": account, "environment": environment}
    app = App.objects.create(**tenant, name=f"shop-{number}", url="https://shop.test/api/inngest")
    function = Function.objects.create(
        **tenant, app=app, slug=f"shop-{number}-order", name="Order", url=app.url, config="{}", spec="{}"
    )
    sync = Sync.objects.create(**tenant, app=app, status=SyncStatus.SUCCESS, last_synced_at=timezone.now())
    key = EventKey.objects.get(environment=environment)
    return [
        app,
        function,
        sync,
        FunctionVersion.objects.create(**tenant, function=function, version=1, config="{}", sync=sync),
        Webhook.objects.create(key=key, transform=SECRET, respond=SECRET, secret_encrypted=SECRET),
        Cancellation.objects.create(
            **tenant,
            id=f"01JZ00000000000000000C{number:04}",
            app=app,
            function=function,
            started_before=1,
            cause=CancellationCause.API,
            created_at=1_760_000_000_000,
            due_at=1,
        ),
    ]


def _history(number: int, environment: Environment) -> list[Model]:
    function = Function.objects.get(environment=environment)
    audit_record(
        account_id=INSTALLATION_ID,
        actor=SYSTEM,
        action="user.change",
        target_type="user",
        target_id=str(number),
        target_label=f"Person {number}",
        before={"is_active": True},
        after={"is_active": False},
    )
    run = Run.objects.create(
        run_id=f"01JZ00000000000000000R{number:04}",
        account_id=environment.account_id,
        environment_id=environment.id,
        app_id=function.app_id,
        function_id=function.id,
        function_version=1,
        status=RunStatus.COMPLETED,
        queued_at=1_760_000_000_000,
        schedule_type="Event",
        has_output=True,
        version=1,
    )
    event = Event.objects.create(
        key=f"0:1760000000000-{number}",
        environment_id=environment.id,
        account_id=environment.account_id,
        internal_id=f"01JZ00000000000000000E{number:04}",
        external_id="theirs",
        name="shop/order.placed",
        ts=1_760_000_000_000,
        received_at=1_760_000_000_000,
        is_internal=False,
        source="api",
    )
    entry = AuditEntry.objects.get(account_id=INSTALLATION_ID, target_id=str(number))
    return [run, event, entry]
