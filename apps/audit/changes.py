"""Changes of what runs in an environment, by a person or a program (spec 05, 2.8).

Dev mode is for one developer and keeps no log.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from apps.audit.actors import Actor
from apps.audit.services import audit_record


class Target(NamedTuple):
    """What was changed; people read the label."""

    type: str
    id: str
    label: str


def audit_change(
    *,
    account_id: UUID,
    environment_id: UUID,
    actor: Actor,
    action: str,
    target: Target,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Called once the change is made: much of it happens in the queue, which no transaction holds."""
    if settings.STEPWELL_MODE == "dev":
        return
    audit_record(
        account_id=account_id,
        environment_id=environment_id,
        actor=actor,
        action=action,
        target_type=target.type,
        target_id=target.id,
        target_label=target.label,
        after=after,
    )
