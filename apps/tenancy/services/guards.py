"""What changes of an account ask first."""

from apps.tenancy.entitlements import entitlements_of
from apps.tenancy.exceptions import AccountDeleting, AccountSuspended, BranchLimit, EnvironmentLimit
from apps.tenancy.models import Account, AccountStatus, EnvironmentType
from apps.tenancy.models.environment import PRODUCTION_WEIGHT

_COUNTED = (EnvironmentType.TEST, EnvironmentType.PRODUCTION)


def require_writable(account: Account) -> None:
    """Raises AccountSuspended or AccountDeleting."""
    if account.status == AccountStatus.SUSPENDED:
        raise AccountSuspended
    if account.status == AccountStatus.DELETING:
        raise AccountDeleting


def default_weight(kind: EnvironmentType) -> int:
    """Production goes before its neighbours."""
    return PRODUCTION_WEIGHT if kind == EnvironmentType.PRODUCTION else 1


def is_full(count: int, limit: int | None) -> bool:
    """Whether one more would be too many; None is no limit."""
    return limit is not None and count >= limit


def require_room(account: Account, kind: str) -> None:
    """Of the locked account, for one more environment at work. Raises EnvironmentLimit or BranchLimit."""
    limits, live = entitlements_of(account), account.environments.filter(archived_at=None)
    if kind == EnvironmentType.BRANCH_CHILD:
        if is_full(live.filter(type=kind).count(), limits.branch_environments):
            raise BranchLimit
    elif is_full(live.filter(type__in=_COUNTED).count(), limits.environments):
        raise EnvironmentLimit
