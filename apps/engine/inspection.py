"""Looking into the queue: what waits, since when, and for what. Read-only and bounded (88_inspect.lua)."""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from apps.engine import clock
from apps.engine.flow.leaves import concurrency_keys
from apps.engine.functions import FunctionSpec
from apps.engine.keys import Keys
from apps.engine.queue_views import (
    AccountQueue,
    Block,
    FunctionQueue,
    KeyQueue,
    KeyUsage,
    ShardQueue,
    StreamGroup,
)
from apps.engine.store.client import RedisClient, RedisError, Reply
from apps.engine.store.functions import FunctionCache
from apps.engine.store.library import LuaLibrary, library_source

MOST_FUNCTIONS: Final = 2_000
KEYS_PER_PAGE: Final = 50
# Functions share a call, and so what it may look at.
_AT_ONCE = 10
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"  # Redis and Valkey write the same score with different digits
_POSITION = re.compile(rf"|q {_NUMBER} \S+|w \d+ \S+ {_NUMBER} \S+", re.ASCII)
_COUNTERS: Final = {
    "leases": ("ZCARD", "leases"),
    "timers": ("ZCARD", "timers"),
    "pauses": ("ZCARD", "px"),
    "run_timeouts": ("ZCARD", "rt"),
    "gates": ("ZCARD", "gates"),
    "debounces": ("ZCARD", "dbq"),
    "batches": ("ZCARD", "btq"),
    "crons": ("ZCARD", "cron"),
    "events": ("XLEN", "events"),
    "history": ("XLEN", "history"),
}

Decoded = TypeVar("Decoded")
Entry = TypeVar("Entry")


class InvalidCursor(ValueError):
    """The text is no cursor of key queues."""


class _KeyPage(msgspec.Struct):
    keys: list[KeyQueue] = []
    cursor: str = ""


class Inspector:
    """Each question is answered by one pipeline of short calls."""

    def __init__(self, client: RedisClient, shard: str, keys: Keys, functions: FunctionCache) -> None:
        self._client = client
        self._shard = shard
        self._keys = keys
        self._functions = functions
        self._library = LuaLibrary(client, keys.prefix)

    async def function(
        self, env_id: str, function_id: str, *, cursor: str = "", limit: int = KEYS_PER_PAGE
    ) -> FunctionQueue | None:
        """The function's queue with a page of up to `limit` key queues, less where many were empty.

        None for a function that this environment does not have. Raises InvalidCursor.
        """
        if not _POSITION.fullmatch(cursor):
            raise InvalidCursor(cursor)
        await self._functions.refresh()
        spec = self._functions.get(function_id)
        if spec is None or spec.env_id != env_id:
            return None
        reply = await self._library.call("inspect_keys", clock.now_ms(), spec.id, cursor, limit)
        page = _decode(reply, _KeyPage)
        [found] = await self._summaries([spec])
        keys = [_explain(queue, spec) for queue in page.keys]
        block = found.blocked_by if cursor else _block_of(found, keys, is_all=not page.cursor)
        return msgspec.structs.replace(found, keys=keys, cursor=page.cursor, blocked_by=block)

    async def account(self, account_id: str) -> AccountQueue | None:
        """The account in sum; None for one that the queue does not know."""
        await self._functions.refresh()
        specs = [spec for spec in self._functions.all() if spec.account_id == account_id]
        if not specs and not await self._client.execute("EXISTS", f"{self._keys.prefix}:n:a:{account_id}"):
            return None
        summaries = await self._summaries(specs[:MOST_FUNCTIONS])
        [account] = await self._accounts([account_id])
        return _sum_up(account, summaries, is_whole=len(specs) <= MOST_FUNCTIONS)

    async def shard(self) -> ShardQueue:
        await self._functions.refresh()
        specs = self._functions.all()
        counted = specs[:MOST_FUNCTIONS]
        summaries = await self._summaries(counted)
        accounts = await self._busy_accounts(counted, summaries)
        counts = await self._counts()
        return ShardQueue(
            shard=self._shard,
            library=library_source()[0].removeprefix("_"),
            ready=sum(summary.depth for summary in summaries),
            live_runs=sum(summary.live_runs for summary in summaries),
            groups=[*await self._groups("events"), *await self._groups("history")],
            accounts=accounts,
            functions=len(specs),
            is_complete=len(counted) == len(specs) and all(summary.is_complete for summary in summaries),
            oldest_since=min(_waiting_since(summaries), default=0),
            **counts,
        )

    async def _summaries(self, specs: Sequence[FunctionSpec]) -> list[FunctionQueue]:
        calls = [[spec.id for spec in chunk] for chunk in _chunks(specs)]
        replies = await self._library.call_each("inspect_functions", calls)
        found = [view for reply in replies for view in _decode(reply, list[FunctionQueue])]
        return [
            msgspec.structs.replace(view, slug=spec.slug) for view, spec in zip(found, specs, strict=True)
        ]

    async def _accounts(self, account_ids: Sequence[str]) -> list[AccountQueue]:
        replies = await self._library.call_each("inspect_accounts", _chunks(account_ids))
        return [view for reply in replies for view in _decode(reply, list[AccountQueue])]

    async def _busy_accounts(
        self, specs: Sequence[FunctionSpec], summaries: Sequence[FunctionQueue]
    ) -> list[AccountQueue]:
        of_account: dict[str, list[FunctionQueue]] = {}
        for spec, summary in zip(specs, summaries, strict=True):
            of_account.setdefault(spec.account_id, []).append(summary)
        accounts = await self._accounts(sorted(of_account))
        sums = [_sum_up(account, of_account[account.account_id], is_whole=True) for account in accounts]
        busy = [account for account in sums if account.depth or account.slots.holders]
        return [msgspec.structs.replace(account, functions=[]) for account in busy]

    async def _counts(self) -> dict[str, int]:
        commands = [(command, f"{self._keys.prefix}:{key}") for command, key in _COUNTERS.values()]
        return dict(zip(_COUNTERS, map(int, await self._client.pipeline(commands)), strict=True))

    async def _groups(self, stream: str) -> list[StreamGroup]:
        try:
            groups = await self._client.execute("XINFO", "GROUPS", f"{self._keys.prefix}:{stream}")
        except RedisError as error:
            if "no such key" not in str(error):
                raise
            return []
        return [_group(stream, flat) for flat in groups]


def _waiting_since(summaries: Sequence[FunctionQueue]) -> list[int]:
    return [summary.first.since for summary in summaries if summary.first and not summary.is_paused]


def _decode(reply: Reply, kind: type[Decoded]) -> Decoded:
    return msgspec.msgpack.decode(reply, type=kind)


def _chunks(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    return [entries[start : start + _AT_ONCE] for start in range(0, len(entries), _AT_ONCE)]


def _group(stream: str, flat: list[Reply]) -> StreamGroup:
    fields = {flat[i]: flat[i + 1] for i in range(0, len(flat), 2)}
    lag = fields.get(b"lag")
    return StreamGroup(
        stream, fields[b"name"].decode(), int(fields[b"pending"]), None if lag is None else int(lag)
    )


def _sum_up(account: AccountQueue, summaries: Sequence[FunctionQueue], *, is_whole: bool) -> AccountQueue:
    return msgspec.structs.replace(
        account,
        functions=[summary for summary in summaries if summary.depth or summary.own.holders],
        depth=sum(summary.depth for summary in summaries),
        live_runs=sum(summary.live_runs for summary in summaries),
        is_complete=is_whole and all(summary.is_complete for summary in summaries),
    )


def _block_of(found: FunctionQueue, keys: Sequence[KeyQueue], *, is_all: bool) -> Block | None:
    """What stops the function as a whole: its only key queue is told for what it waits."""
    is_blocked = found.blocked_by is not None and found.blocked_by.kind != "keys"
    if is_blocked or found.own_items or not keys or not is_all:
        return found.blocked_by
    if any(queue.blocked_by is None for queue in keys):
        return None
    return keys[0].blocked_by if len(keys) == 1 else Block("keys")


def _explain(queue: KeyQueue, spec: FunctionSpec) -> KeyQueue:
    """Says which key of the function each of the limits is of, and its value here."""
    return msgspec.structs.replace(
        queue,
        usage=[_named(usage, queue, spec) for usage in queue.usage],
        blocked_by=queue.blocked_by and _named(queue.blocked_by, queue, spec),
        starts_blocked_by=queue.starts_blocked_by and _named(queue.starts_blocked_by, queue, spec),
    )


Named = TypeVar("Named", Block, KeyUsage)


def _named(limit: Named, queue: KeyQueue, spec: FunctionSpec) -> Named:
    setting, expression = _key_of(limit, spec)
    if not expression:
        return limit
    value = next((value for *key, value in queue.keys if key == [setting, expression]), "")
    return msgspec.structs.replace(limit, expression=expression, value=value)


def _key_of(limit: Block | KeyUsage, spec: FunctionSpec) -> tuple[str, str]:
    """Setting and expression, as `KeyReader` shows them; the spec may be newer than the answer."""
    if limit.kind == "throttle":
        return "throttle", spec.throttle.key if spec.throttle else ""
    if limit.kind == "key":
        expressions = [rule.key for rule in concurrency_keys(spec)]
        return "concurrency", dict(enumerate(expressions, 1)).get(limit.number, "")
    if limit.kind == "runs":
        expressions = [rule.key for rule in spec.run_concurrency]
        return "run concurrency", dict(enumerate(expressions, 1)).get(limit.number, "")
    return "", ""
