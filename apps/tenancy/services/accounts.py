"""Organisations: made, renamed, and deleted after a time of grace (spec 05, 1.2)."""

import uuid
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.identity.models import User
from apps.tenancy import locks, names, networks
from apps.tenancy.announcements import announce_change
from apps.tenancy.exceptions import (
    DefaultAccount,
    InvalidDays,
    InvalidEmail,
    InvalidSessionLimit,
    NameMismatch,
    NotDeleting,
    OwnAddressOutside,
)
from apps.tenancy.models import (
    DEV_ACCOUNT_ID,
    Account,
    AccountStatus,
    Environment,
    EnvironmentType,
    Membership,
    Role,
)
from apps.tenancy.services import shares
from apps.tenancy.services.guards import default_weight, require_writable
from apps.tenancy.services.purging import account_purge

__all__ = [
    "account_create",
    "account_delete_request",
    "account_delete_undo",
    "account_purge",
    "account_rename",
    "account_set_branch_archive_days",
    "account_set_idle_minutes",
    "account_set_networks",
    "account_set_security_email",
    "account_set_session_hours",
    "account_set_support_access",
    "account_set_two_factor",
    "account_suspend",
    "account_unsuspend",
]

MAX_NAME = 100
MAX_BRANCH_ARCHIVE_DAYS = 90
MAX_SESSION_HOURS = 8760
MIN_IDLE_MINUTES = 5
MAX_IDLE_MINUTES = 10_080
GRACE = timedelta(days=7)


@transaction.atomic
def account_create(*, name: str, owner: User, actor: Actor) -> Account:
    """An organisation with its owner, the production environment and the parent of branches; its credentials
    are made by `organisation_provision`. Raises InvalidName."""
    cleaned = names.clean_name(name, limit=MAX_NAME)
    account = _insert(cleaned)
    Membership.objects.create(account=account, user=owner, role=Role.OWNER)
    _add_environment(account, EnvironmentType.PRODUCTION, "Production", "production")
    _add_environment(account, EnvironmentType.BRANCH_PARENT, "Branch environments", "branch")
    _audit(account, actor, "account.create", after={"name": cleaned, "slug": account.slug})
    transaction.on_commit(lambda: shares.publish_account(account.id))
    return account


@transaction.atomic
def account_rename(*, account: Account, name: str, actor: Actor) -> Account:
    """Its slug, and so its URLs, stay. Raises InvalidName."""
    cleaned = names.clean_name(name, limit=MAX_NAME)
    return _change(account, actor, "account.rename", {"name": cleaned})


@transaction.atomic
def account_set_security_email(*, account: Account, email: str, actor: Actor) -> Account:
    """Where notices of security go; empty: to the owners. Raises InvalidEmail."""
    cleaned = User.objects.normalize_email(email)
    if cleaned:
        try:
            validate_email(cleaned)
        except ValidationError:
            raise InvalidEmail from None
    return _change(account, actor, "account.security_email", {"security_email": cleaned})


@transaction.atomic
def account_set_two_factor(*, account: Account, is_required: bool, actor: Actor) -> Account:
    """Whether members need a second factor to see anything of the organisation."""
    return _change(account, actor, "account.two_factor", {"requires_two_factor": is_required})


@transaction.atomic
def account_set_session_hours(*, account: Account, hours: int | None, actor: Actor) -> Account:
    """For members' sessions, those under way too; None: as the server has it. Raises InvalidSessionLimit."""
    if hours is not None and not 1 <= hours <= MAX_SESSION_HOURS:
        raise InvalidSessionLimit
    return _change(account, actor, "account.session_limits", {"session_hours": hours})


@transaction.atomic
def account_set_idle_minutes(*, account: Account, minutes: int | None, actor: Actor) -> Account:
    """As `account_set_session_hours`; None: idle sessions do not end."""
    if minutes is not None and not MIN_IDLE_MINUTES <= minutes <= MAX_IDLE_MINUTES:
        raise InvalidSessionLimit
    return _change(account, actor, "account.session_limits", {"session_idle_minutes": minutes})


@transaction.atomic
def account_set_networks(*, account: Account, text: str, actor: Actor) -> Account:
    """From where members may see its pages; empty: from everywhere. Raises InvalidNetwork, and
    OwnAddressOutside where the ranges leave out who sets them."""
    ranges = networks.parse_networks(text)
    if actor.ip is not None and not networks.contains(ranges, actor.ip):
        raise OwnAddressOutside
    return _change(account, actor, "account.networks", {"allowed_networks": ranges})


@transaction.atomic
def account_set_support_access(*, account: Account, is_allowed: bool, actor: Actor) -> Account:
    """Whether operators of the server may look into the organisation, which is shown and audited."""
    return _change(account, actor, "account.support_access", {"allows_support_access": is_allowed})


@transaction.atomic
def account_set_branch_archive_days(*, account: Account, days: int, actor: Actor) -> Account:
    """How long a branch lasts after its latest sync; for those that sync from now on. Raises InvalidDays."""
    if not 1 <= days <= MAX_BRANCH_ARCHIVE_DAYS:
        raise InvalidDays
    return _change(account, actor, "account.branch_archive_days", {"branch_archive_days": days})


@transaction.atomic
def account_delete_request(*, account: Account, typed_name: str, actor: Actor) -> Account:
    """Read-only from now on, and gone after 7 days, unless that is undone. Idempotent: the first date stays.

    Raises NameMismatch, DefaultAccount, AccountSuspended.
    """
    locked = locks.lock_account(account.id)
    if locked.id == DEV_ACCOUNT_ID:
        raise DefaultAccount
    if typed_name.strip() != locked.name:
        raise NameMismatch
    if locked.status == AccountStatus.DELETING:
        return locked
    require_writable(locked)
    return _set_status(locked, actor, "account.delete_request", AccountStatus.DELETING)


@transaction.atomic
def account_delete_undo(*, account: Account, actor: Actor) -> Account:
    """Back to work, with everything as it was. Raises NotDeleting, NotFound once it is gone."""
    locked = locks.lock_account(account.id)
    if locked.status != AccountStatus.DELETING:
        raise NotDeleting
    return _set_status(locked, actor, "account.delete_undo", AccountStatus.ACTIVE)


@transaction.atomic
def account_suspend(*, account: Account, actor: Actor) -> Account:
    """By the operator: everything can still be read. Idempotent; one that is being deleted stays that."""
    locked = locks.lock_account(account.id)
    if locked.status != AccountStatus.ACTIVE:
        return locked
    return _set_status(locked, actor, "account.suspend", AccountStatus.SUSPENDED)


@transaction.atomic
def account_unsuspend(*, account: Account, actor: Actor) -> Account:
    locked = locks.lock_account(account.id)
    if locked.status != AccountStatus.SUSPENDED:
        return locked
    return _set_status(locked, actor, "account.unsuspend", AccountStatus.ACTIVE)


def _set_status(account: Account, actor: Actor, action: str, status: AccountStatus) -> Account:
    before = {"status": account.status}
    account.status = status
    account.delete_at = timezone.now() + GRACE if status == AccountStatus.DELETING else None
    account.save(update_fields=["status", "delete_at"])
    _audit(account, actor, action, before, {"status": account.status, "delete_at": account.delete_at})
    announce_change(account.id)
    return account


def _change(account: Account, actor: Actor, action: str, values: dict[str, Any]) -> Account:
    """Set columns; equal values change nothing and are not recorded."""
    locked = locks.lock_account(account.id)
    require_writable(locked)
    before = {name: getattr(locked, name) for name in values}
    if before == values:
        return locked
    for name, value in values.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(values))
    _audit(locked, actor, action, before, values)
    return locked


def _insert(name: str) -> Account:
    """With a slug of its own: the plain one goes to whoever comes first."""
    account_id = uuid.uuid4()
    slug = names.make_slug(name, account_id, ())
    account, is_new = Account.objects.get_or_create(slug=slug, defaults={"id": account_id, "name": name})
    if is_new:
        return account
    slug = names.make_slug(name, account_id, {slug})
    return Account.objects.create(id=account_id, name=name, slug=slug)


def _add_environment(account: Account, kind: EnvironmentType, name: str, slug: str) -> Environment:
    return Environment.objects.create(
        account=account,
        type=kind,
        name=name,
        name_norm=names.normal_name(name),
        slug=slug,
        weight=default_weight(kind),
    )


def _audit(
    account: Account,
    actor: Actor,
    action: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit_record(
        account_id=account.id,
        actor=actor,
        action=action,
        target_type="account",
        target_id=account.id,
        target_label=account.name,
        before=before,
        after=after,
    )
