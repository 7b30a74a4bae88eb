"""What every change of an account asks first."""

from apps.tenancy.exceptions import AccountDeleting, AccountSuspended
from apps.tenancy.models import Account, AccountStatus


def require_writable(account: Account) -> None:
    """Raises AccountSuspended or AccountDeleting."""
    if account.status == AccountStatus.SUSPENDED:
        raise AccountSuspended
    if account.status == AccountStatus.DELETING:
        raise AccountDeleting
