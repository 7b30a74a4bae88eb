"""What waits in the queue, and for what, as faces ask for it. Each raises RedisUnavailable."""

from uuid import UUID

from apps.engine import bridge
from apps.engine.inspection import KEYS_PER_PAGE
from apps.engine.queue_views import AccountQueue, Block, FunctionQueue, KeyQueue, ShardQueue


def queue_of_function(
    environment_id: UUID, function_id: UUID, *, cursor: str = "", limit: int = KEYS_PER_PAGE
) -> FunctionQueue | None:
    """With up to `limit` of its key queues, from `cursor` on; None for a function of another environment, and
    for one that no process has published. Raises InvalidCursor."""
    env_id, name = str(environment_id), str(function_id)
    return bridge.engine_call(
        lambda engine: engine.inspect_function(env_id, name, cursor=cursor, limit=limit)
    )


def queue_of_account(account_id: UUID) -> AccountQueue | None:
    """None for an account that the queue does not know."""
    return bridge.engine_call(lambda engine: engine.inspect_account(str(account_id)))


def queue_of_shard() -> ShardQueue:
    """All tenants together: for the operator only."""
    return bridge.engine_call(lambda engine: engine.inspect_shard())


def block_words(block: Block, queue: KeyQueue | None = None) -> str:
    """What stops work, in words; the time at which a throttle opens is left to the caller.

    Beside the keys of its `queue`, the value of a key goes without saying, and so does an only key.
    """
    key = _key_words(block, queue) if block.expression else ""
    in_use = f", {block.holders:,} of {block.limit or 0:,} in use"
    match block.kind:
        case "paused":
            return "the function is paused"
        case "throttle":
            return f"throttle{key and ' of'}{key}"
        case "account":
            return f"account limit{in_use}"
        case "function":
            return f"function limit{in_use}"
        case "key":
            return f"concurrency key{key}{in_use}"
        case "runs":
            return f"runs in progress{key and ' of'}{key}{in_use}"
        case "keys":
            return "each key queue waits for its own limit"


def _key_words(block: Block, queue: KeyQueue | None) -> str:
    if queue is None:
        return f" {block.expression} = {block.value}"
    return f" {block.expression}" if len({expression for _, expression, _ in queue.keys}) > 1 else ""
