"""The only place that locks rows of tenancy; callers hold a transaction open.

The account's row is the lock of everything below it: whoever changes its members, invitations or environments
takes it first, so that what is counted stays true until it is written.
"""

from uuid import UUID

from apps.tenancy.exceptions import NotFound
from apps.tenancy.models import Account


def lock_account(account_id: UUID) -> Account:
    """The account, locked until the transaction ends. Raises NotFound.

    Rows that refer to it may still be added meanwhile: its key is not locked.
    """
    account = Account.objects.select_for_update(no_key=True).filter(id=account_id).first()
    if account is None:
        raise NotFound
    return account
