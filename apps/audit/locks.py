"""The only place that locks rows of the audit log; callers hold a transaction open."""

from uuid import UUID

from apps.audit.models import AuditHead


def lock_head(account_id: UUID) -> AuditHead:
    """The end of the account's chain, locked until the transaction ends; made where there is none."""
    head, _ = AuditHead.objects.select_for_update().get_or_create(account_id=account_id)
    return head
