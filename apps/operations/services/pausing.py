"""Pausing with what follows for the function's runs (spec 02, 12.3)."""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from apps.engine import bridge, clock
from apps.engine.control import LiveRun
from apps.operations.choices import CancellationCause, CancellationStatus
from apps.operations.models import Cancellation
from apps.operations.services.cancellations import begin
from apps.registry import selectors as registry
from apps.registry.models import Function
from apps.registry.services import switches
from apps.tenancy.models import Environment

LONGEST_PAUSE = timedelta(days=7)
PAUSED = "function paused"
PAUSED_TOO_LONG = "function paused for more than 7 days"

_START, _END = LiveRun(0, ""), 2**53


def function_pause(*, environment: Environment, function_id: UUID, cancels_running: bool = False) -> Function:
    """Pause the function. Its runs wait, for 7 days at most, or are cancelled now (`cancels_running`).

    Idempotent: a pause has one cancellation, also where a suspended function is paused again to cancel.
    Raises FunctionNotFound and FunctionArchived of the registry, and RedisUnavailable as the switches do.
    """
    function = switches.function_pause(environment=environment, function_id=function_id)
    if cancels_running and function.paused_at and not _is_cancelled(function, function.paused_at):
        # From here on the engine starts no run: the window cannot miss one.
        now = clock.now_ms()
        begin(function, (None, now), now, cause=CancellationCause.MANUAL, name=PAUSED)
    return function


def expire_pauses() -> int:
    """Cancel what still waits in functions that have been paused for too long; how many there are."""
    functions = registry.long_paused_functions(timezone.now() - LONGEST_PAUSE)
    expired = [function for function in functions if _has_live_runs(function) and not _expires(function)]
    for function in expired:
        now = clock.now_ms()
        begin(function, (None, now), now, cause=CancellationCause.NONE, name=PAUSED_TOO_LONG)
    return len(expired)


def _is_cancelled(function: Function, paused_at: datetime) -> bool:
    """Whether the runs of this pause have been cancelled already, or are being."""
    since = int(paused_at.timestamp() * 1000)
    rows = Cancellation.objects.filter(function=function, cause=CancellationCause.MANUAL, name=PAUSED)
    return rows.exclude(status=CancellationStatus.DELETED).filter(created_at__gte=since).exists()


def _expires(function: Function) -> bool:
    rows = Cancellation.objects.filter(function=function, cause=CancellationCause.NONE)
    return rows.filter(status=CancellationStatus.RUNNING).exists()


def _has_live_runs(function: Function) -> bool:
    env_id, function_id = str(function.environment_id), str(function.id)
    return bool(bridge.engine_call(lambda engine: engine.live_runs(env_id, function_id, _START, _END, 1)))
