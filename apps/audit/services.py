"""Adding to the audit log, and checking it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.audit import chain, locks
from apps.audit.actors import SYSTEM, Actor
from apps.audit.models import INSTALLATION_ID, AuditEntry, AuditHead
from apps.audit.redaction import without_secrets

__all__ = [
    "INSTALLATION_ID",
    "SYSTEM",
    "Actor",
    "Verification",
    "audit_forget",
    "audit_record",
    "audit_verify",
]

_CHUNK = 500


@transaction.atomic
def audit_record(
    *,
    account_id: UUID,
    actor: Actor,
    action: str,
    target_type: str = "",
    target_id: str | UUID = "",
    target_label: str = "",
    environment_id: UUID | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    is_success: bool = True,
) -> AuditEntry:
    """Add an entry to the account's chain, as the last act of the caller's transaction: the chain is locked
    until that ends.

    `action` is <family>.<verb>; `before` and `after` hold what differs, as plain JSON values, UUIDs and
    times. Secrets among them are redacted, and raise SecretInEntry in tests.
    """
    head = locks.lock_head(account_id)
    entry = AuditEntry(
        id=uuid.uuid4(),
        account_id=account_id,
        number=head.number + 1,
        environment_id=environment_id,
        at=timezone.now(),
        actor_kind=actor.kind,
        actor_id=chain.plain_text(actor.id, 40),
        actor_label=chain.plain_text(actor.label, 254),
        ip=chain.canonical_ip(actor.ip),
        user_agent=chain.plain_text(actor.user_agent, 256),
        action=action,
        target_type=target_type,
        target_id=chain.plain_text(str(target_id), 64),
        target_label=chain.plain_text(target_label, 254),
        before=chain.plain_values(without_secrets(before or {})),
        after=chain.plain_values(without_secrets(after or {})),
        request_id=chain.plain_text(actor.request_id, 40),
        is_success=is_success,
        previous_hash=head.hash,
    )
    entry.hash = chain.entry_hash(entry)
    entry.save(force_insert=True)
    head.number, head.hash = entry.number, entry.hash
    head.save(update_fields=["number", "hash"])
    return entry


@transaction.atomic
def audit_forget(account_id: UUID) -> dict[str, int | str]:
    """Delete the log of an organisation that is being purged, in whose transaction this runs; its length and
    the digest that its chain ended with, by which an export can still be checked."""
    head = locks.lock_head(account_id)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('stepwell.audit_purge', %s, true)", [str(account_id)])
    entries = AuditEntry.objects.filter(account_id=account_id)
    entries._raw_delete(entries.db)
    head.delete()
    return {"entries": head.number, "digest": head.hash}


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken_at` is the number of the first entry that is not as it was written, `reason` what is wrong.
    Those before `first_number` have been removed with age."""

    count: int
    broken_at: int | None = None
    reason: str = ""
    first_number: int = 1

    @property
    def is_intact(self) -> bool:
        return self.broken_at is None


def audit_verify(account_id: UUID) -> Verification:
    """Walk the account's chain: each entry is as it was written, none is missing up to the last, and the last
    checkpoint tells of those that are missing at the start."""
    first: AuditEntry | None = None
    last: AuditEntry | None = None
    checkpoint: dict[str, Any] = {}
    count = 0
    entries = AuditEntry.objects.filter(account_id=account_id).order_by("number")
    for entry in entries.iterator(chunk_size=_CHUNK):
        if reason := _fault(entry, last):
            return Verification(count, entry.number, reason)
        first, last, count = first or entry, entry, count + 1
        if entry.action == chain.TRIM:
            checkpoint = entry.after
    if (found := _fault_of_end(account_id, last, count)) or first is None:
        return found or Verification(count)
    if not _begins_well(first, checkpoint):
        return Verification(0, first.number, "the entries before it are missing")
    return Verification(count, first_number=first.number)


def _fault_of_end(account_id: UUID, last: AuditEntry | None, count: int) -> Verification | None:
    head = AuditHead.objects.filter(account_id=account_id).first()
    last_number = last.number if last else 0
    if head is not None and head.number > last_number:
        return Verification(count, last_number + 1, "the entry is missing")
    if last is not None and (head is None or (head.number, head.hash) != (last.number, last.hash)):
        return Verification(count, last_number, "the chain ends at another entry")
    return None


def _begins_well(first: AuditEntry, checkpoint: Mapping[str, Any]) -> bool:
    """Nothing is missing before the entry, or exactly what the last checkpoint has removed."""
    if first.number == 1:
        return first.previous_hash == ""
    return (checkpoint.get("through"), checkpoint.get("digest")) == (first.number - 1, first.previous_hash)


def _fault(entry: AuditEntry, last: AuditEntry | None) -> str:
    if last and entry.number != last.number + 1:
        return "the entry before it is missing"
    if last and entry.previous_hash != last.hash:
        return "it does not follow the entry before it"
    return "" if chain.entry_hash(entry) == entry.hash else "its content has changed"
