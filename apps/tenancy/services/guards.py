"""What changes of an account ask first."""

from apps.tenancy.exceptions import AccountDeleting, AccountSuspended
from apps.tenancy.models import Account, AccountStatus, EnvironmentType
from apps.tenancy.models.environment import PRODUCTION_WEIGHT


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
