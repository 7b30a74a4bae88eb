"""Branch environments: found or made by the name that a call brings (spec 05, 1.5)."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from apps.audit.services import SYSTEM, Actor, audit_record
from apps.tenancy import locks, names
from apps.tenancy.entitlements import entitlements_of
from apps.tenancy.exceptions import BranchRateLimited, EnvironmentNotFound, EnvironmentUnspecified
from apps.tenancy.models import Account, Environment, EnvironmentType
from apps.tenancy.services import archiving
from apps.tenancy.services.guards import is_full, require_room, require_writable

_HOUR = timedelta(hours=1)


def branch_resolve(
    *, parent: Environment, name: str, may_create: bool, unarchives: bool, actor: Actor = SYSTEM
) -> Environment:
    """The branch of that name below `parent`, whose credential the caller presented.

    A missing one is made if the call may do that; an archived one comes back to work if the call
    `unarchives`, as a sync does, and otherwise is given as it is. Names are compared trimmed and without
    case. Two calls at once get the same branch.

    Raises EnvironmentUnspecified without a name, InvalidName, EnvironmentNotFound where it may not create,
    BranchLimit where one is made or comes back, BranchRateLimited where one is made, and AccountSuspended
    or AccountDeleting if something would change.
    """
    if not name.strip():
        raise EnvironmentUnspecified
    cleaned = names.clean_name(name)
    branch = _find(parent, cleaned)
    if branch is None:
        if not may_create:
            raise EnvironmentNotFound(f"There is no branch environment {cleaned}.")
        branch = _create(parent, cleaned, actor)
    if branch.is_archived and unarchives:
        return archiving.environment_unarchive(environment=branch, actor=actor)
    return branch


def _find(parent: Environment, name: str) -> Environment | None:
    return Environment.objects.filter(
        account_id=parent.account_id, parent=parent, name_norm=names.normal_name(name)
    ).first()


@transaction.atomic
def _create(parent: Environment, name: str, actor: Actor) -> Environment:
    account = locks.lock_account(parent.account_id)
    branch = _find(parent, name)
    if branch is not None:
        return branch
    require_writable(account)
    require_room(account, EnvironmentType.BRANCH_CHILD)
    _require_rate(account)
    branch_id = uuid.uuid4()
    branch = Environment.objects.create(
        id=branch_id,
        account=account,
        parent=parent,
        type=EnvironmentType.BRANCH_CHILD,
        name=name,
        name_norm=names.normal_name(name),
        slug=names.make_slug(name, branch_id, set(account.environments.values_list("slug", flat=True))),
        auto_archive_at=timezone.now() + timedelta(days=account.branch_archive_days),
    )
    audit_record(
        account_id=account.id,
        actor=actor,
        action="environment.create",
        target_type="environment",
        target_id=branch.id,
        target_label=branch.name,
        environment_id=branch.id,
        after={"name": branch.name, "slug": branch.slug, "type": branch.type},
    )
    archiving.tell_after_commit(branch)
    return branch


def _require_rate(account: Account) -> None:
    branches = Environment.objects.filter(account=account, type=EnvironmentType.BRANCH_CHILD)
    recent = branches.filter(created_at__gt=timezone.now() - _HOUR)
    if is_full(recent.count(), entitlements_of(account).branches_per_hour):
        raise BranchRateLimited
