"""Erasing what has been deleted: environments on request, organisations after their time of grace.

Each step may be repeated, so a job that is interrupted is taken up by the next round. The order is: the
queue, so that nothing is written any more; history, in small transactions; then the rows that foreign keys
lead to.
"""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.audit.services import INSTALLATION_ID, SYSTEM, Actor, audit_forget, audit_record
from apps.engine import bridge
from apps.engine.engine import Engine
from apps.tenancy import hooks, locks
from apps.tenancy.announcements import announce_change
from apps.tenancy.exceptions import NotDeleting, NotFound
from apps.tenancy.models import Account, AccountStatus, Environment
from apps.tenancy.services import shares

logger = logging.getLogger(__name__)


def purge_due() -> int:
    """Erase what is due; how many accounts and environments. For a scheduler, again and again: one that fails
    is told in the log, and keeps no other from it."""
    due = Account.objects.filter(status=AccountStatus.DELETING, delete_at__lte=timezone.now())
    purged = sum(_tried(partial(account_purge, account=account)) for account in due.order_by("id"))
    requested = Environment.objects.filter(delete_requested_at__isnull=False).order_by("id")
    return purged + sum(_tried(partial(environment_purge, environment=row)) for row in requested)


def _tried(purge: Callable[[], bool]) -> bool:
    try:
        return purge()
    except Exception:
        logger.exception("something that was deleted is not erased yet, it is tried again")
        return False


def account_purge(*, account: Account, actor: Actor = SYSTEM) -> bool:
    """Delete the organisation with everything of it, its audit log too; False where another was faster.

    The installation's own audit log keeps that it was there, and where its log had ended. Raises NotDeleting
    before its time of grace is over, and what the engine raises: then it is to be repeated.
    """
    current = Account.objects.filter(id=account.id).first()
    if current is None:
        return False
    _require_due(current)
    ids = list(current.environments.values_list("id", flat=True))
    _stop(ids)
    _erase_environments(ids)
    if not _delete_account(current.id, ids, actor):
        return False
    bridge.engine_call(lambda engine: engine.forget_account(str(current.id)))
    hooks.erase(ids)  # what was written while the rows went
    return True


def environment_purge(*, environment: Environment) -> bool:
    """Delete an environment whose deletion was requested, with everything of it."""
    ids = [environment.id, *environment.branches.values_list("id", flat=True)]
    _erase_environments(ids)
    with transaction.atomic():
        locks.lock_account(environment.account_id)
        gone, _ = Environment.objects.filter(id=environment.id, delete_requested_at__isnull=False).delete()
        announce_change(environment.account_id)
    hooks.erase(ids)
    return gone > 0


def _require_due(account: Account) -> None:
    is_due = account.delete_at is not None and account.delete_at <= timezone.now()
    if account.status != AccountStatus.DELETING or not is_due:
        raise NotDeleting


def _stop(environment_ids: Sequence[UUID]) -> None:
    """Nothing starts from now on."""
    Environment.objects.filter(id__in=environment_ids, archived_at=None).update(archived_at=timezone.now())
    shares.publish_environments(environment_ids)


def _erase_environments(environment_ids: Sequence[UUID]) -> None:
    async def forget(engine: Engine) -> None:
        for environment_id in environment_ids:
            await engine.forget_environment(str(environment_id))

    bridge.engine_call(forget)
    hooks.erase(environment_ids)


@transaction.atomic
def _delete_account(account_id: UUID, environment_ids: Sequence[UUID], actor: Actor) -> bool:
    try:
        account = locks.lock_account(account_id)
    except NotFound:
        return False
    _require_due(account)
    log = audit_forget(account_id)
    audit_record(
        account_id=INSTALLATION_ID,
        actor=actor,
        action="account.purge",
        target_type="account",
        target_id=account.id,
        target_label=account.name,
        before={"slug": account.slug, "environments": list(environment_ids), "audit_log": log},
    )
    account.delete()
    announce_change(account_id)
    return True
