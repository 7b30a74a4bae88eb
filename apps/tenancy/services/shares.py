"""What accounts and environments may use of the queue, and whether environments are at work there.

The database decides; the queue is told after each commit, and all of it when a scheduler starts.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from apps.engine import bridge
from apps.engine.engine import Engine
from apps.engine.environments import EnvironmentShare
from apps.tenancy.models import Account, Environment

Told = TypeVar("Told")

# Environments that are told at a time.
_CHUNK = 500


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
    ids = list(Environment.objects.order_by("id").values_list("id", flat=True))
    for start in range(0, len(ids), _CHUNK):
        publish_environments(ids[start : start + _CHUNK])


def publish_shares(accounts: list[Account]) -> None:
    async def send(engine: Engine) -> None:
        for account in accounts:
            await engine.configure_account(str(account.id), account.concurrency_limit, account.weight)

    bridge.engine_call(send)


def publish_account(account_id: UUID) -> None:
    """The account and its environments."""
    publish_shares(list(Account.objects.filter(id=account_id)))
    publish_environments(Environment.objects.filter(account_id=account_id).values_list("id", flat=True))


def publish_environments(environment_ids: Iterable[UUID]) -> None:
    """Tell the queue what the database says of these now. Raises what the engine raises.

    Nobody holds a lock meanwhile, so two commits may be told in the wrong order: who tells last then sees
    that it was late, and mends it.
    """
    ids = list(environment_ids)
    _tell_until_true(
        lambda: _environment_shares(ids), lambda engine, shares: engine.configure_environments(shares)
    )


def _environment_shares(ids: Sequence[UUID]) -> list[EnvironmentShare]:
    rows = Environment.objects.filter(id__in=ids).order_by("id")
    return [
        EnvironmentShare(str(row.id), str(row.account_id), row.weight, is_archived=row.is_archived)
        for row in rows
    ]


def _tell_until_true(
    read: Callable[[], list[Told]], tell: Callable[[Engine, list[Told]], Awaitable[None]]
) -> None:
    told = read()
    while told:
        bridge.engine_call(lambda engine, current=told: tell(engine, current))  # type: ignore[misc]
        current = read()
        if current == told:
            return
        told = current
