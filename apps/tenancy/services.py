"""What an account may use of the queue."""

from uuid import UUID

from apps.engine import bridge
from apps.engine.engine import Engine
from apps.tenancy.models import Account


def account_set_share(*, account_id: UUID, concurrency_limit: int | None, weight: int) -> Account:
    """Set the account's limit of concurrent steps (None: the server's default) and its weight.

    Takes hold for what is queued already. Raises Account.DoesNotExist, ValidationError, and what the engine
    raises: the row is set then, and the engine is told at the next start.
    """
    account = Account.objects.get(id=account_id)
    account.concurrency_limit, account.weight = concurrency_limit, weight
    account.full_clean()
    account.save(update_fields=["concurrency_limit", "weight"])
    publish_shares([account])
    return account


def publish_all_shares() -> None:
    """For the start of a server, which may have found an empty Redis."""
    publish_shares(list(Account.objects.all()))


def publish_shares(accounts: list[Account]) -> None:
    async def send(engine: Engine) -> None:
        for account in accounts:
            await engine.configure_account(str(account.id), account.concurrency_limit, account.weight)

    bridge.engine_call(send)
