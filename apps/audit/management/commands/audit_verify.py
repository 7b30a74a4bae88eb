"""manage.py audit_verify: whether the audit logs are as they were written."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.models import AuditHead
from apps.audit.services import audit_verify


class Command(BaseCommand):
    help = "Walk the chain of each organisation's audit log; exits with 1 where an entry is not as it was"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", type=UUID, help="only the log of this organisation, by its id")

    def handle(self, *args: Any, account: UUID | None = None, **options: Any) -> None:
        heads = AuditHead.objects.order_by("account_id").values_list("account_id", flat=True)
        broken = [id_ for id_ in ([account] if account else heads) if not self._is_intact(id_)]
        if broken:
            raise CommandError(f"{len(broken)} audit logs are not as they were written")

    def _is_intact(self, account_id: UUID) -> bool:
        found = audit_verify(account_id)
        start = f", from number {found.first_number}" if found.first_number > 1 else ""
        state = "intact" if found.is_intact else f"broken at {found.broken_at}: {found.reason}"
        self.stdout.write(f"{account_id}: {found.count} entries{start}, {state}")
        return found.is_intact
