"""How long the audit logs of organisations are kept: the entitlement `audit_days`."""

import itertools
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from apps.audit.models import AuditHead
from apps.audit.retention import BATCH, audit_trim
from apps.tenancy.entitlements import Limit, entitlements_of, server_entitlements
from apps.tenancy.models import Account

# Whatever the entitlement says: nobody's slip, and no intruder, empties a log.
MIN_DAYS: Final = 30
# Of one account in one round, so that a long log holds up no other.
_BATCHES: Final = 20


def audit_trim_due() -> int:
    """Remove what is older than each organisation's log is kept; how many entries. For a scheduler, again and
    again. The log of the installation is kept as long as the server's own entitlements say."""
    heads = AuditHead.objects.order_by("account_id").values_list("account_id", flat=True)
    return sum(_trim(account_id) for account_id in list(heads))


def kept_days(account: Account | None) -> Limit:
    """None: for ever."""
    limits = entitlements_of(account) if account else server_entitlements()
    return None if limits.audit_days is None else max(limits.audit_days, MIN_DAYS)


def _trim(account_id: UUID) -> int:
    days = kept_days(Account.objects.filter(id=account_id).first())
    if days is None:
        return 0
    before, removed = timezone.now() - timedelta(days=days), 0
    for _ in itertools.repeat(None, _BATCHES):
        found = audit_trim(account_id, before=before)
        removed += found
        if found < BATCH:
            break
    return removed
