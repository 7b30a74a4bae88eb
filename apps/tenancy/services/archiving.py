"""Environments that rest: nothing triggers, everything stays readable (spec 05, 1.6).

Archiving switches the environment's node of the queue off: its events start nothing but skipped runs, its
crons do not fire, its functions cannot be invoked or rerun. Runs that were queued before go on to their ends.
The functions themselves stay as they are, so that unarchiving brings back exactly what was there.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.services import SYSTEM, Actor, audit_record
from apps.tenancy import locks
from apps.tenancy.announcements import announce_change
from apps.tenancy.exceptions import EnvironmentNotBranch, EnvironmentPermanent, NotFound
from apps.tenancy.models import Account, Environment, EnvironmentType
from apps.tenancy.services import shares
from apps.tenancy.services.guards import require_room, require_writable

SYNC_PRECISION = timedelta(minutes=1)
# Of one round of `archive_due`.
_DUE_AT_ONCE = 200


@transaction.atomic
def environment_archive(*, environment: Environment, actor: Actor) -> Environment:
    """Idempotent. Raises EnvironmentPermanent, AccountSuspended, AccountDeleting, NotFound.

    Raises what the engine raises after the commit: the next start of a scheduler then tells the queue.
    """
    account, row = lock_environment(environment)
    require_writable(account)
    return _archive(row, actor)


def _archive(row: Environment, actor: Actor) -> Environment:
    if is_permanent(row):
        raise EnvironmentPermanent
    if not row.is_archived:
        row.archived_at = timezone.now()
        row.save(update_fields=["archived_at"])
        _audit(row, actor, "environment.archive", is_archived=True)
    tell_after_commit(row)
    return row


@transaction.atomic
def environment_unarchive(*, environment: Environment, actor: Actor) -> Environment:
    """Idempotent. A branch gets its full time until it is archived again.

    Raises EnvironmentLimit or BranchLimit as making one would, AccountSuspended, AccountDeleting, NotFound,
    and what the engine raises, after the commit.
    """
    account, row = lock_environment(environment)
    require_writable(account)
    if row.is_archived:
        require_room(account, row.type)
        row.archived_at = None
        row.auto_archive_at = _due_date(account, row, timezone.now())
        row.save(update_fields=["archived_at", "auto_archive_at"])
        _audit(row, actor, "environment.unarchive", is_archived=False)
    tell_after_commit(row)
    return row


def environment_mark_synced(*, environment_id: UUID) -> None:
    """An app has synced: a branch is archived the account's number of days from now on.

    Apps that are polled sync all the time: within a minute the row is left alone.
    """
    now = timezone.now()
    row = Environment.objects.select_related("account").get(id=environment_id)
    if row.last_synced_at is not None and row.last_synced_at > now - SYNC_PRECISION:
        return
    due = _due_date(row.account, row, now)
    Environment.objects.filter(id=environment_id).update(last_synced_at=now, auto_archive_at=due)


@transaction.atomic
def environment_set_auto_archive(*, environment: Environment, is_on: bool, actor: Actor) -> Environment:
    """Whether a branch is archived by itself; the date goes on meanwhile. Idempotent.

    Raises EnvironmentNotBranch, AccountSuspended, AccountDeleting, NotFound.
    """
    account, row = lock_environment(environment)
    require_writable(account)
    if row.type != EnvironmentType.BRANCH_CHILD:
        raise EnvironmentNotBranch
    if row.is_auto_archived != is_on:
        row.is_auto_archived = is_on
        row.save(update_fields=["is_auto_archived"])
        audit_environment(
            row,
            actor,
            "environment.auto_archive",
            {"is_auto_archived": not is_on},
            {"is_auto_archived": is_on},
        )
    return row


def archive_due() -> int:
    """Archive the branches whose time has come; how many. For a scheduler, again and again."""
    now = timezone.now()
    due = Environment.objects.filter(
        auto_archive_at__lte=now, archived_at=None, is_auto_archived=True, type=EnvironmentType.BRANCH_CHILD
    ).order_by("auto_archive_at")
    return sum(_archive_if_due(environment) for environment in due[:_DUE_AT_ONCE])


@transaction.atomic
def _archive_if_due(environment: Environment) -> bool:
    """Unless a sync has moved the date meanwhile."""
    _, row = lock_environment(environment)
    is_due = row.auto_archive_at is not None and row.auto_archive_at <= timezone.now()
    if row.is_archived or not row.is_auto_archived or not is_due:
        return False
    _archive(row, SYSTEM)
    return True


def tell_after_commit(environment: Environment) -> None:
    """The queue, and the memories of credentials."""
    announce_change(environment.account_id)
    environment_id = environment.id
    transaction.on_commit(lambda: publish(environment_id))


def publish(environment_id: UUID) -> None:
    """Tell the queue what the database says of the environment now."""
    shares.publish_environments([environment_id])


def lock_environment(environment: Environment) -> tuple[Account, Environment]:
    """The account, locked, and the environment as it is now. Raises NotFound."""
    account = locks.lock_account(environment.account_id)
    row = account.environments.filter(id=environment.id, delete_requested_at=None).first()
    if row is None:
        raise NotFound
    return account, row


def is_permanent(environment: Environment) -> bool:
    """The account's first production environment and the parent of its branches."""
    if environment.type == EnvironmentType.BRANCH_PARENT:
        return True
    return environment.is_production and not _other_production(environment)


def _other_production(environment: Environment) -> bool:
    rows = Environment.objects.filter(account_id=environment.account_id, type=EnvironmentType.PRODUCTION)
    return rows.filter(archived_at=None).exclude(id=environment.id).exists()


def _due_date(account: Account, row: Environment, now: datetime) -> datetime | None:
    if row.type != EnvironmentType.BRANCH_CHILD:
        return None
    return now + timedelta(days=account.branch_archive_days)


def _audit(row: Environment, actor: Actor, action: str, *, is_archived: bool) -> None:
    audit_environment(row, actor, action, {"is_archived": not is_archived}, {"is_archived": is_archived})


def audit_environment(
    row: Environment, actor: Actor, action: str, before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    audit_record(
        account_id=row.account_id,
        actor=actor,
        action=action,
        target_type="environment",
        target_id=row.id,
        target_label=row.name,
        environment_id=row.id,
        before=before,
        after=after,
    )
