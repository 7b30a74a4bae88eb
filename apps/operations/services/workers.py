"""Draining workers through Celery's control commands (apps/engine/celery_control.py)."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from celery import Celery

# Among workers that are not named, there is no telling how many will answer.
ANSWER_SECONDS: Final = 2.0


class WorkerState(NamedTuple):
    """`held`: items in hand; `oldest_ms`: since when the oldest of them has been queued."""

    is_draining: bool
    held: int
    oldest_ms: int


def workers_drain(worker: str = "") -> dict[str, str]:
    """Let a worker, or all of them, take no further items; those in hand are finished.

    Returns the problem of each worker that has answered, empty where it obeys. Idempotent. Raises
    kombu's OperationalError while the broker is away.
    """
    return _tell("stepwell_drain", worker)


def workers_resume(worker: str = "") -> dict[str, str]:
    """Let them lease again; otherwise like `workers_drain`."""
    return _tell("stepwell_resume", worker)


def worker_states(workers: Sequence[str]) -> dict[str, WorkerState]:
    """Of those workers that answer in time."""
    return {name: _state(answer) for name, answer in _ask("stepwell_leases", workers).items()}


def _tell(command: str, worker: str) -> dict[str, str]:
    answers = _ask(command, [worker] if worker else [])
    return {name: str(answer.get("error", "")) for name, answer in answers.items()}


def _state(answer: Mapping[str, Any]) -> WorkerState:
    ages = [int(lease["age_ms"]) for lease in answer["leases"]]
    return WorkerState(bool(answer["draining"]), len(ages), max(ages, default=0))


def _ask(command: str, workers: Sequence[str]) -> dict[str, dict[str, Any]]:
    names = list(workers) or None
    replies = _celery().control.broadcast(
        command, destination=names, reply=True, timeout=ANSWER_SECONDS, limit=len(names) if names else None
    )
    return {name: answer for reply in replies or [] for name, answer in reply.items()}


@cache
def _celery() -> Celery:
    """Celery as a client only: the project's own application belongs to its workers."""
    app = Celery("stepwell", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    return app
