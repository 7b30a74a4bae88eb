"""What every change of a credential does: guard the account, record it, and announce it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.audit.services import Actor, audit_record
from apps.credentials.exceptions import InvalidExpiry, KeyLimit, KeysOfParent
from apps.credentials.models import ApiKey, EventKey, PersonalToken, SigningKey
from apps.identity.models import User
from apps.tenancy import locks, names
from apps.tenancy.announcements import announce_change
from apps.tenancy.entitlements import QuotaExceeded, check_quota
from apps.tenancy.exceptions import EnvironmentArchived, NotFound
from apps.tenancy.models import Account, Environment
from apps.tenancy.services.guards import require_writable

MAX_NAME = 128

AnyCredential = ApiKey | EventKey | PersonalToken | SigningKey


def lock_writable(environment: Environment) -> Account:
    """The environment's account, locked, so that what is counted stays true until it is written. One that is
    being deleted is there no more.

    Raises AccountSuspended, AccountDeleting, NotFound, KeysOfParent.
    """
    if environment.parent_id is not None:
        raise KeysOfParent
    account = locks.lock_account(environment.account_id)
    require_writable(account)
    if not account.environments.filter(id=environment.id, delete_requested_at=None).exists():
        raise NotFound
    return account


def refuse_archived(environment: Environment) -> None:
    if Environment.objects.filter(id=environment.id, archived_at__isnull=False).exists():
        raise EnvironmentArchived


def cleaned_name(name: str) -> str:
    """Raises InvalidName."""
    return names.clean_name(name, limit=MAX_NAME)


def refuse_beyond(account: Account, entitlement: str, current: int) -> None:
    """Raises KeyLimit."""
    try:
        check_quota(account, entitlement, current)
    except QuotaExceeded as exceeded:
        raise KeyLimit(str(exceeded)) from None


def refuse_past(moment: datetime | None) -> None:
    """Raises InvalidExpiry."""
    if moment is not None and moment <= timezone.now():
        raise InvalidExpiry


def record(
    credential: AnyCredential,
    actor: Actor,
    action: str,
    label: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Into the audit log, as the last act of a transaction; `before` and `after` without secrets."""
    audit_record(
        account_id=credential.account_id,
        actor=actor,
        action=action,
        target_type=action.rpartition(".")[0],
        target_id=credential.id,
        target_label=label,
        environment_id=getattr(credential, "environment_id", None),
        before=before,
        after=after,
    )


def announce(credential: AnyCredential) -> None:
    announce_change(credential.account_id)


def creator_of(actor: Actor) -> User | None:
    """The user behind an actor, where it is one."""
    return User.objects.filter(id=actor.id).first() if actor.kind == "user" and actor.id else None
