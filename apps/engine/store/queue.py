"""The queue as workers use it: leases, commits, checkpoints (spec 02, appendix E)."""

import itertools
import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from apps.engine import clock
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.library import LuaLibrary
from apps.engine.store.views import Item, RunState, parse_item, parse_pairs, parse_state

LEASE_MS = 20_000


class Leased(NamedTuple):
    item: Item
    state: RunState


class Unkeyed(NamedTuple):
    """A queued item whose function has other keys now; `events` is the run's raw JSON array.

    It is leased, without a slot, only to be given its new keys by `rekey`.
    """

    item_id: str
    token: str
    run_id: str
    function_id: str
    events: bytes


class LeaseBatch(NamedTuple):
    """`next_due_at`: when the earliest timer is due, ms; None when there is none."""

    leased: list[Leased]
    next_due_at: int | None
    functions_version: int
    unkeyed: list[Unkeyed]


class CommitResult(NamedTuple):
    """`outcome`: ok; gone (the lease was lost, nothing was done); ended (the run had ended)."""

    outcome: str
    state_version: int = 0
    next_item: Item | None = None


class Commit(msgspec.Struct):
    """One commit of one item: operations (see 65_operations.lua) and encoded history records."""

    item: Item
    operations: list[Argument]
    history: bytes = b""
    request_version: int | None = None
    may_continue: bool = False


class Queue:
    """`lease_ms`: how long a lease lasts, and so how long the work of a killed worker waits for another."""

    def __init__(self, client: RedisClient, prefix: str, *, lease_ms: int = LEASE_MS) -> None:
        self.client = client
        self.prefix = prefix
        self.lease_ms = lease_ms
        self.library = LuaLibrary(client, prefix)
        self._tokens = (f"{os.getpid()}.{os.urandom(6).hex()}.{number}" for number in itertools.count())

    async def lease(self, count: int) -> LeaseBatch:
        """Lease up to `count` due items, fairest first, with the state of their runs."""
        now = clock.now_ms()
        reply = await self.library.call("lease", now, count, now + self.lease_ms, next(self._tokens))
        due = int(float(reply[0]))
        leased = [Leased(parse_item(item), parse_state(state)) for item, state in reply[1]]
        unkeyed = [_parse_unkeyed(parts) for parts in reply[3]]
        return LeaseBatch(leased, None if due < 0 else due, int(reply[2]), unkeyed)

    async def rekey(self, unkeyed: Unkeyed, version: str, leaf: str, gates: str, shown: str) -> bool:
        """Move an item into the leaf of its new keys; False when its lease is lost."""
        reply = await self.library.call(
            "rekey", clock.now_ms(), unkeyed.item_id, unkeyed.token, version, leaf, gates, shown
        )
        return int(reply) == 1

    async def commit(self, commit: Commit) -> CommitResult:
        now = clock.now_ms()
        version = "" if commit.request_version is None else commit.request_version
        token = next(self._tokens) if commit.may_continue else ""
        reply = await self.library.call(
            "commit",
            now,
            commit.item.id,
            commit.item.token,
            version,
            commit.history,
            token,
            now + self.lease_ms,
            *commit.operations,
        )
        outcome = reply[0].decode()
        if outcome != "ok":
            return CommitResult(outcome)
        next_item = parse_item(reply[2]) if len(reply) > 2 and reply[2] else None
        return CommitResult(outcome, int(reply[1]), next_item)

    async def extend(self, items: Iterable[Item]) -> set[str]:
        """Extend leases; returns the ids of the items whose lease was lost."""
        args: list[Argument] = [clock.now_ms() + self.lease_ms]
        for item in items:
            args += [item.id, item.token]
        return {lost.decode() for lost in await self.library.call("extend", *args)}

    async def state(self, run_id: str) -> RunState | None:
        """The run's current state; None when it has ended or never was."""
        reply = await self.library.call("state", run_id)
        return None if reply is None else parse_state(reply)

    async def deferrals(self, run_id: str) -> dict[str, bytes]:
        """The run's deferrals as they are now: hashed id to stored JSON."""
        return parse_pairs(await self.client.execute("HGETALL", f"{self.prefix}:defer:{run_id}"))

    async def attempt(self, item_id: str) -> int | None:
        """An item's failed attempts by now, since checkpoints reset them; None once it is done."""
        raw = await self.client.execute("HGET", f"{self.prefix}:i:{item_id}", "n")
        return None if raw is None else int(raw)

    async def checkpoint(
        self,
        run_id: str,
        item_id: str,
        generation: int,
        history: bytes,
        max_bytes: int,
        memos: Sequence[tuple[str, bytes]],
        deferrals: Sequence[tuple[str, bytes]],
    ) -> str:
        """Save steps of a request that is still running (spec 04, 4.4).

        The outcome is ok, missing (the item), stale, ended or overflow.
        """
        args: list[Argument] = [run_id, item_id, generation or "", history, max_bytes, len(memos)]
        for memo in memos:
            args += memo
        args.append(len(deferrals))
        for deferral in deferrals:
            args += deferral
        outcome: bytes = await self.library.call("checkpoint", *args)
        return outcome.decode()


def _parse_unkeyed(parts: list[bytes]) -> Unkeyed:
    item_id, token, run_id, function_id = [part.decode() for part in parts[:4]]
    return Unkeyed(item_id, token, run_id, function_id, parts[4])
