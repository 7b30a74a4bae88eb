"""What an account may have and use (spec 05, 8.2): the server's limits, and the account's own instead.

A limit is a whole number, or None for no limit. The server has STEPWELL_ENTITLEMENTS over `DEFAULTS`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.audit.actors import Actor
from apps.audit.services import audit_record
from apps.tenancy import locks
from apps.tenancy.announcements import announce_change
from apps.tenancy.models import Account

Limit = int | None


class Entitlements(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`event_bytes` bounds one event, on top of the server's own limit; `ingest_per_second` counts events;
    `audit_days` is how long the audit log is kept; the others count what may exist at a time, revoked and
    archived ones left out."""

    event_bytes: Limit = None
    ingest_per_second: Limit = None
    environments: Limit = 50
    branch_environments: Limit = 500
    branches_per_hour: Limit = 60
    event_keys: Limit = 100
    api_keys: Limit = 100
    webhooks: Limit = 100
    users: Limit = 1_000
    audit_days: Limit = 365


DEFAULTS: Final = Entitlements()


class QuotaExceeded(Exception):
    """The account has as many as it may; `name` is that of the entitlement."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(
            f"This organisation may have {limit} {name.replace('_', ' ')}; the operator can raise it"
        )
        self.name = name
        self.limit = limit


def entitlements_of(account: Account) -> Entitlements:
    return entitlements_from(account.entitlements)


def entitlements_from(own: Mapping[str, Limit]) -> Entitlements:
    """The limits of an account whose own are `own`; what is none of ours is passed over."""
    server = server_entitlements()
    return msgspec.structs.replace(server, **_known(own)) if own else server


def server_entitlements() -> Entitlements:
    return _merged(tuple(sorted(settings.STEPWELL_ENTITLEMENTS.items())))


@lru_cache(maxsize=8)
def _merged(items: tuple[tuple[str, Limit], ...]) -> Entitlements:
    return msgspec.structs.replace(DEFAULTS, **dict(items))


def check_quota(account: Account, name: str, current: int) -> None:
    """Raises QuotaExceeded where one more than `current` would be too many."""
    limit: Limit = getattr(entitlements_of(account), name)
    if limit is not None and current >= limit:
        raise QuotaExceeded(name, limit)


@transaction.atomic
def account_set_entitlements(*, account: Account, own: Mapping[str, object], actor: Actor) -> Account:
    """Replace the account's own limits; idempotent. Raises ValidationError for what is no limit, NotFound."""
    for name, limit in own.items():
        if name not in Entitlements.__struct_fields__ or not is_limit(limit):
            raise ValidationError(f"{name}={limit!r} is no limit of an account")
    locked = locks.lock_account(account.id)
    before, after = locked.entitlements, dict(own)
    if before == after:
        return locked
    locked.entitlements = after
    locked.save(update_fields=["entitlements"])
    announce_change(locked.id)
    audit_record(
        account_id=locked.id,
        actor=actor,
        action="account.entitlements",
        target_type="account",
        target_id=locked.id,
        target_label=locked.name,
        before=before,
        after=after,
    )
    return locked


def is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _known(own: Mapping[str, Limit]) -> dict[str, Limit]:
    names = Entitlements.__struct_fields__
    return {name: limit for name, limit in own.items() if name in names and is_limit(limit)}
