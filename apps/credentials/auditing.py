"""What programs do with their keys goes into the audit log."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from apps.audit.changes import Target, audit_change
from apps.credentials.caller import Caller
from apps.credentials.http import actor_of_caller


def audit_call(
    request: HttpRequest,
    caller: Caller,
    action: str,
    target: Target,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit_change(
        account_id=caller.account_id,
        environment_id=caller.environment_id,
        actor=actor_of_caller(request, caller),
        action=action,
        target=target,
        after=after,
    )
