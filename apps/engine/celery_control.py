"""Celery's own tools look into the engine: `celery -A config inspect stepwell_leases` and
`celery -A config control stepwell_drain` (or `stepwell_resume`), with `-d` for one worker.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from celery.worker.control import control_command, inspect_command

from apps.engine import clock
from apps.engine.bootstep import ENGINE_ATTRIBUTE, EngineThread
from apps.engine.executor.service import Executor


def _engine(state: Any) -> EngineThread | None:
    engine: EngineThread | None = getattr(state.consumer.controller, ENGINE_ATTRIBUTE, None)
    return engine


def _executors(state: Any) -> list[Executor]:
    engine = _engine(state)
    return [service for service in engine.services if isinstance(service, Executor)] if engine else []


@inspect_command()
def stepwell_leases(state: Any) -> dict[str, Any]:
    """The items that the worker holds, oldest first, and whether it is draining."""
    now = clock.now_ms()
    executors = _executors(state)
    held = sorted((item for executor in executors for item in executor.held), key=lambda item: item.queued_at)
    return {
        "draining": any(executor.is_draining for executor in executors),
        "leases": [
            {
                "item": item.id,
                "run": item.run_id,
                "kind": item.kind,
                "attempt": item.attempt,
                "age_ms": now - item.queued_at,
            }
            for item in held
        ],
    }


@control_command()
def stepwell_drain(state: Any) -> dict[str, str]:
    """Take no further items; those in hand are finished."""
    return _tell(state, Executor.drain, "draining")


@control_command()
def stepwell_resume(state: Any) -> dict[str, str]:
    """Lease items again."""
    return _tell(state, Executor.resume, "leasing")


def _tell(state: Any, action: Callable[[Executor], None], done: str) -> dict[str, str]:
    engine, executors = _engine(state), _executors(state)
    if engine is None or not executors:
        return {"error": "this worker runs no executor"}
    for executor in executors:
        engine.call_soon(partial(action, executor))
    return {"ok": done}
