"""A function's queue: one look at Redis, and no query."""

from apps.dashboard.presenters.queue import QueueView, queue_view
from apps.engine.store.client import RedisUnavailable
from apps.operations.queues import queue_of_function
from apps.registry.models import Function


def function_queue(function: Function) -> QueueView | None:
    """None while the queue cannot tell: Redis is away, or the function has not been published yet."""
    try:
        queue = queue_of_function(function.environment_id, function.id)
    except (RedisUnavailable, TimeoutError):
        return None
    return queue_view(queue) if queue else None
