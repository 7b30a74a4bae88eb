"""How far the audit log of an organisation has been sent on."""

from dataclasses import dataclass
from datetime import datetime

from apps.audit.models import AuditHead
from apps.audit_sinks.models import AuditSink
from apps.tenancy.models import Account


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """`cursor` is the number of the last entry that was taken, `head` that of the last there is. `retry_ms`
    is None where nothing has failed."""

    host: str
    cursor: int
    head: int
    last_error: str
    failures: int
    delivered_ms: int | None
    retry_ms: int | None

    @property
    def waiting(self) -> int:
        return max(self.head - self.cursor, 0)


def sink_status(account: Account) -> SinkStatus | None:
    sink = AuditSink.objects.filter(account=account).first()
    if sink is None:
        return None
    head = AuditHead.objects.filter(account_id=account.id).first()
    return SinkStatus(
        host=sink.host,
        cursor=sink.cursor,
        head=head.number if head else 0,
        last_error=sink.last_error,
        failures=sink.failures,
        delivered_ms=_ms(sink.delivered_at),
        retry_ms=_ms(sink.due_at) if sink.failures else None,
    )


def _ms(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None
