"""A function's queue: one look at Redis, and no query."""

from dataclasses import replace

from apps.dashboard.presenters.queue import QueueView, queue_view
from apps.engine.store.client import RedisUnavailable
from apps.operations.queues import queue_of_function
from apps.registry.models import Function


def function_queue(function: Function, *, shows_data: bool = True) -> QueueView | None:
    """None while the queue cannot tell: Redis is away, or the function has not been published yet.

    Without `shows_data` the key queues are left out, which are called by values of payloads.
    """
    try:
        queue = queue_of_function(function.environment_id, function.id)
    except (RedisUnavailable, TimeoutError):
        return None
    if queue is None:
        return None
    view = queue_view(queue)
    return view if shows_data else replace(view, keys=())
