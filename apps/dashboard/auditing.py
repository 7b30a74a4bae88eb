"""What people do with runs, functions, apps and events on the pages goes into the audit log (spec 05, 2.8).

Dev mode is for one developer and keeps no log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.audit.http import actor_of
from apps.audit.services import audit_record
from apps.dashboard.environment import current_environment
from apps.engine.protocol.events import AcceptedEvent
from apps.registry.models import App, Function


def audit_run(request: HttpRequest, action: str, run_id: str, after: Mapping[str, Any] | None = None) -> None:
    _record(request, action, "run", run_id, run_id, after)


def audit_function(
    request: HttpRequest, action: str, function: Function, after: Mapping[str, Any] | None = None
) -> None:
    _record(request, action, "function", str(function.id), function.slug, after)


def audit_app(request: HttpRequest, action: str, app: App) -> None:
    _record(request, action, "app", str(app.id), str(app), {"url": app.url})


def audit_events_sent(request: HttpRequest, sent: Sequence[AcceptedEvent]) -> None:
    """Their names, and how many; what they hold is no business of the log."""
    names = sorted({event.name for event in sent})
    after = {"names": names[:20], "count": len(sent)}
    _record(request, "event.send", "event", sent[0].internal_id, sent[0].name, after)


def _record(
    request: HttpRequest,
    action: str,
    target_type: str,
    target_id: str,
    label: str,
    after: Mapping[str, Any] | None,
) -> None:
    if settings.STEPWELL_MODE == "dev":
        return
    environment = current_environment(request)
    audit_record(
        account_id=environment.account_id,
        actor=actor_of(request),
        action=action,
        target_type=target_type,
        target_id=target_id,
        target_label=label,
        environment_id=environment.id,
        after=after,
    )
