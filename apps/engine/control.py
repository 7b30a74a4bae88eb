"""Looking over a function's live runs, and how far the runner has come: what bulk control is made of."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from apps.engine import expressions
from apps.engine.expressions import Program
from apps.engine.keys import RUNNER_GROUP, Keys
from apps.engine.store.client import RedisClient, RedisError, Reply

# Events are up to some megabytes large: so many of them are read at once.
_EVENTS_AT_ONCE = 10
_NOTHING_READ = (b"0-0", 0)


class LiveRun(NamedTuple):
    """A run that has not ended, as the index of its function orders it. `queued_at` in ms."""

    queued_at: int
    run_id: str


async def live_runs(
    client: RedisClient, prefix: str, function_id: str, after: LiveRun, until: int, limit: int
) -> list[LiveRun]:
    """The next runs after a position, queued until `until` (ms): fewer than `limit` only at the end."""
    key, count = f"{prefix}:live:{function_id}", limit
    while True:
        # One command answers a page, so that runs which end meanwhile shift nothing past the reader.
        reply = await client.execute(
            "ZRANGE", key, after.queued_at, until, "BYSCORE", "LIMIT", 0, count, "WITHSCORES"
        )
        page = [LiveRun(int(reply[i + 1]), reply[i].decode()) for i in range(0, len(reply), 2)]
        found = [run for run in page if run > after]
        if len(found) >= limit or len(page) < count:
            return found[:limit]
        count *= 2


async def matching_runs(
    client: RedisClient, prefix: str, run_ids: Sequence[str], program: Program
) -> list[str]:
    """Those live runs whose first event makes the expression true."""
    found: list[str] = []
    for start in range(0, len(run_ids), _EVENTS_AT_ONCE):
        chunk = run_ids[start : start + _EVENTS_AT_ONCE]
        bodies = await client.pipeline([["HGET", f"{prefix}:run:{run_id}", "ev"] for run_id in chunk])
        found += [run_id for run_id, body in zip(chunk, bodies, strict=True) if _is_match(body, program)]
    return found


def _is_match(events: bytes | None, program: Program) -> bool:
    if events is None:
        return False
    bodies = msgspec.json.decode(events, type=list[msgspec.Raw])
    return bool(bodies) and expressions.matches(program, msgspec.json.decode(bodies[0]))


async def has_handled(client: RedisClient, keys: Keys, moment: int) -> bool:
    """Whether the runner has started all runs of the events that were accepted until `moment` (ms)."""
    last_read, pending = await _runner_group(client, keys)
    if pending:
        oldest = (await client.execute("XPENDING", keys.events, RUNNER_GROUP))[1]
        if oldest is not None and _time_of(oldest) <= moment:
            return False
    if _time_of(last_read) > moment:
        return True
    unread = await client.execute("XRANGE", keys.events, f"({last_read.decode()}", f"{moment}", "COUNT", 1)
    return not unread


async def _runner_group(client: RedisClient, keys: Keys) -> tuple[bytes, int]:
    """(last entry read, entries that are not acknowledged); before there was a runner, none."""
    try:
        groups = await client.execute("XINFO", "GROUPS", keys.events)
    except RedisError as error:
        if "no such key" not in str(error):
            raise
        return _NOTHING_READ
    for group in map(_fields, groups):
        if group[b"name"] == RUNNER_GROUP.encode():
            return group[b"last-delivered-id"], int(group[b"pending"])
    return _NOTHING_READ


def _fields(flat: Reply) -> dict[bytes, Reply]:
    return {flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}


def _time_of(stream_id: bytes) -> int:
    return int(stream_id.partition(b"-")[0])
