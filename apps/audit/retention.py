"""Old entries of the audit log go (spec 05, 2.8), and the rest can still be proven.

Whatever removes entries first adds a checkpoint to the end of the chain: up to which number they went, and
the hash of the last one. `audit_verify` wants such a checkpoint where a chain does not begin with its first
entry; PostgreSQL's trigger lets only entries go that one tells of, in a transaction that names the account.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.audit import locks
from apps.audit.actors import SYSTEM
from apps.audit.chain import TRIM
from apps.audit.models import AuditEntry
from apps.audit.services import audit_record

BATCH = 1_000


def audit_trim(account_id: UUID, *, before: datetime, limit: int = BATCH) -> int:
    """Remove the oldest entries of an account that were made before a time, at most `limit`; how many.

    Idempotent. Checkpoints alone are not worth another one: a log of which nothing else is old stays.
    """
    old = AuditEntry.objects.filter(account_id=account_id, at__lt=before)
    if not old.exclude(action=TRIM).exists():
        return 0
    return _trim(account_id, before, limit)


@transaction.atomic
def _trim(account_id: UUID, before: datetime, limit: int) -> int:
    locks.lock_head(account_id)
    expired = _oldest_expired(account_id, before, limit)
    if all(entry.action == TRIM for entry in expired):
        return 0
    last = expired[-1]
    audit_record(
        account_id=account_id,
        actor=SYSTEM,
        action=TRIM,
        target_type="audit_log",
        after={"removed": len(expired), "through": last.number, "digest": last.hash},
    )
    _allow(account_id)
    gone = AuditEntry.objects.filter(account_id=account_id, number__lte=last.number)
    gone._raw_delete(gone.db)
    return len(expired)


def _oldest_expired(account_id: UUID, before: datetime, limit: int) -> list[AuditEntry]:
    """From the start of the chain up to the first that is not old: what is removed leaves no gap."""
    found = []
    rows = AuditEntry.objects.filter(account_id=account_id).only("number", "hash", "at", "action")
    for entry in rows.order_by("number")[:limit]:
        if entry.at >= before:
            break
        found.append(entry)
    return found


def _allow(account_id: UUID) -> None:
    """Until the transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('stepwell.audit_trim', %s, true)", [str(account_id)])
