"""What the log lines of one piece of work have in common: ids, never payloads or secrets.

A web process begins it per request, a worker per item; whatever logs meanwhile gets it (apps/server/logs.py).
The value is shared by the tasks and threads that the work starts, so what is learned later is in all lines.
"""

from collections.abc import Mapping
from contextvars import ContextVar

_current: ContextVar[dict[str, str] | None] = ContextVar("stepwell_log_context", default=None)


def begin(**ids: str) -> None:
    """Start with `ids`, such as request_id, account_id, environment_id or run_id, and nothing else."""
    _current.set(ids)


def bind(**ids: str) -> None:
    """Add to the work under way; without any, nothing happens."""
    current = _current.get()
    if current is not None:
        current.update(ids)


def current() -> Mapping[str, str]:
    return _current.get() or {}
