"""The first organisation is the server's own account with a name, so that what its keys have led to before,
and lead to from then on, is the same environment."""

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.credentials import formats, secrets
from apps.credentials.models import SigningKey, SigningKeyState
from apps.credentials.services.provisioning import environment_provision
from apps.identity.models import User
from apps.tenancy import locks, names
from apps.tenancy.announcements import announce_change
from apps.tenancy.models import (
    DEV_ACCOUNT_ID,
    DEV_ENVIRONMENT_ID,
    Account,
    Environment,
    EnvironmentType,
    Membership,
    Role,
)
from apps.tenancy.services.accounts import MAX_NAME


@transaction.atomic
def account_take_over(*, name: str, owner: User, actor: Actor) -> Account:
    """The default account, renamed, with the owner, its production environment, the parent of branches, and
    the credentials that these begin with. Raises InvalidName."""
    account = locks.lock_account(DEV_ACCOUNT_ID)
    before = {"name": account.name, "slug": account.slug}
    account.name = names.clean_name(name, limit=MAX_NAME)
    others = set(Account.objects.exclude(id=account.id).values_list("slug", flat=True))
    account.slug = names.make_slug(account.name, account.id, others)
    account.save(update_fields=["name", "slug"])
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    audit_record(
        account_id=account.id,
        actor=actor,
        action="account.create",
        target_type="account",
        target_id=account.id,
        target_label=account.name,
        before=before,
        after={"name": account.name, "slug": account.slug},
    )
    for environment in (_production(account), _branch_parent(account)):
        environment_provision(environment, actor)
    announce_change(account.id)
    return account


def _production(account: Account) -> Environment:
    environment = account.environments.get(id=DEV_ENVIRONMENT_ID)
    environment.type, environment.slug = EnvironmentType.PRODUCTION, "production"
    environment.name, environment.name_norm = "Production", names.normal_name("Production")
    environment.save(update_fields=["type", "slug", "name", "name_norm"])
    _adopt_signing_key(environment)
    return environment


def _adopt_signing_key(environment: Environment) -> None:
    """The key that the server was started with is the environment's active one, for its page to show."""
    value = settings.STEPWELL_SIGNING_KEY
    if not value or SigningKey.objects.filter(environment=environment).exists():
        return
    SigningKey.objects.create(
        account_id=environment.account_id,
        environment=environment,
        value_encrypted=secrets.encrypt(value),
        bearer_hash=secrets.keyed_hash(formats.bearer_hash(value)),
        prefix=formats.signing_key_prefix(value),
        state=SigningKeyState.ACTIVE,
        activated_at=timezone.now(),
    )


def _branch_parent(account: Account) -> Environment:
    name = "Branch environments"
    environment, _ = Environment.objects.get_or_create(
        account=account,
        type=EnvironmentType.BRANCH_PARENT,
        defaults={"name": name, "name_norm": names.normal_name(name), "slug": "branch"},
    )
    return environment
