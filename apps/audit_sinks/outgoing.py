"""What is sent next, and what came of it. A sink is claimed by one process at a time, so that its entries
keep their order; whoever dies while sending leaves the same entries to the next, so that none is lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from apps.audit.export import json_lines
from apps.audit.models import AuditEntry, AuditHead
from apps.audit_sinks.models import AuditSink
from apps.credentials import secrets

BATCH: Final = 100
# Longer than a request may take (streaming.py).
CLAIM: Final = timedelta(seconds=60)
_FIRST_RETRY: Final = timedelta(seconds=5)
_LAST_RETRY: Final = timedelta(hours=1)
_SINKS_AT_ONCE: Final = 20
_UNREADABLE: Final = "its URL was encrypted with a key that this server does not have"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Entries after `cursor`, up to `last`, as lines of JSON."""

    account_id: UUID
    url: str
    secret: str
    cursor: int
    last: int
    body: bytes


def claim_due() -> list[Outgoing]:
    """For this process alone, until CLAIM is over or `settle` is told."""
    now = timezone.now()
    head = AuditHead.objects.filter(account_id=OuterRef("account_id")).values("number")[:1]
    waiting = AuditSink.objects.annotate(head=Subquery(head)).filter(due_at__lte=now, head__gt=F("cursor"))
    found = [_claim(sink, now) for sink in waiting.order_by("due_at")[:_SINKS_AT_ONCE]]
    return [outgoing for outgoing in found if outgoing is not None]


def settle(outgoing: Outgoing, error: str) -> None:
    """`error` is empty where the entries were taken."""
    now = timezone.now()
    sink = AuditSink.objects.filter(account_id=outgoing.account_id, cursor=outgoing.cursor)
    if error:
        _put_off(sink.first(), error, now)
    else:
        sink.update(cursor=outgoing.last, due_at=now, failures=0, last_error="", delivered_at=now)


def retry_after(failures: int) -> timedelta:
    """5 s after the first failure, twice as long after each further one, an hour at most."""
    doublings = min(max(failures - 1, 0), 16)
    return min(_FIRST_RETRY * (1 << doublings), _LAST_RETRY)


def _claim(sink: AuditSink, now: datetime) -> Outgoing | None:
    same = AuditSink.objects.filter(pk=sink.pk, due_at=sink.due_at, cursor=sink.cursor)
    if not same.update(due_at=now + CLAIM):
        return None
    try:
        url, secret = secrets.decrypt(sink.url_encrypted), secrets.decrypt(sink.secret_encrypted)
    except secrets.SecretUnreadable:
        _put_off(sink, _UNREADABLE, now)
        return None
    rows = AuditEntry.objects.filter(account_id=sink.account_id, number__gt=sink.cursor)
    entries = list(rows.order_by("number")[:BATCH])
    body = "".join(json_lines(entries)).encode()
    return Outgoing(sink.account_id, url, secret, sink.cursor, entries[-1].number, body)


def _put_off(sink: AuditSink | None, error: str, now: datetime) -> None:
    if sink is None:
        return
    failures = sink.failures + 1
    rows = AuditSink.objects.filter(pk=sink.pk, cursor=sink.cursor)
    rows.update(failures=failures, last_error=error[:200], due_at=now + retry_after(failures))
