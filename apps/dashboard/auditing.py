"""What people do with runs, functions, apps and events on the pages goes into the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.http import HttpRequest

from apps.audit.actors import Actor
from apps.audit.changes import Target, audit_change
from apps.audit.http import actor_of
from apps.audit.models import ActorKind
from apps.dashboard.environment import current_environment
from apps.dashboard.tenant import access_of
from apps.engine.protocol.events import AcceptedEvent
from apps.registry.models import App, Function


def audit_run(request: HttpRequest, action: str, run_id: str, after: Mapping[str, Any] | None = None) -> None:
    _record(request, action, Target("run", run_id, run_id), after)


def audit_function(
    request: HttpRequest, action: str, function: Function, after: Mapping[str, Any] | None = None
) -> None:
    _record(request, action, Target("function", str(function.id), function.slug), after)


def audit_download(
    request: HttpRequest, kind: str, ident: str, after: Mapping[str, Any] | None = None
) -> None:
    """Data of a run or an event that has left as a file."""
    _record(request, f"{kind}.download", Target(kind, ident, ident), after)


def audit_app(request: HttpRequest, action: str, app: App) -> None:
    _record(request, action, Target("app", str(app.id), str(app)), {"url": app.url})


def audit_events_sent(request: HttpRequest, sent: Sequence[AcceptedEvent]) -> None:
    """Their names, and how many; what they hold is no business of the log."""
    names = sorted({event.name for event in sent})
    after = {"names": names[:20], "count": len(sent)}
    _record(request, "event.send", Target("event", sent[0].internal_id, sent[0].name), after)


def _record(
    request: HttpRequest, action: str, target: Target, after: Mapping[str, Any] | None = None
) -> None:
    environment = current_environment(request)
    audit_change(
        account_id=environment.account_id,
        environment_id=environment.id,
        actor=_actor(request),
        action=action,
        target=target,
        after=after,
    )


def _actor(request: HttpRequest) -> Actor:
    """An operator who looks into the organisation is told from its members."""
    actor = actor_of(request)
    return replace(actor, kind=ActorKind.SUPPORT) if access_of(request).is_support else actor
