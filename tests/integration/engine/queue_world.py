"""A queue on a real server, under a clock that the test moves, with short ways to say things."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from apps.engine import clock
from apps.engine.flow.admission import Flow, Rate, encode_flow
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.queue import Commit, CommitResult, Leased, Queue
from apps.engine.store.views import Item, RunMeta

PREFIX = "{q:0}"
START_MS = 1_795_438_000_000


@dataclass
class World:
    client: RedisClient
    queue: Queue
    now: int = START_MS
    _runs: int = field(default=0)

    def advance(self, ms: int) -> None:
        self.now += ms

    async def configure(
        self,
        function: str,
        *,
        account: str = "acc",
        env: str = "env",
        limit: int | str = "",
        account_limit: int | str = "",
        paused: bool = False,
        drained: bool = False,
        keys: str = "",
        key_limits: tuple[int, ...] = (),
        throttle: tuple[float, float] | None = None,
        run_limits: tuple[int, ...] = (),
    ) -> None:
        """`keys` is the version of the function's keys; `throttle` interval and tolerance in ms."""
        switches = ["1" if paused else "", "1" if drained else ""]
        k1, k2 = [*key_limits, "", ""][:2]
        l1, l2 = [*run_limits, "", ""][:2]
        identity = (function, env, account, 1, "{}", 0, account_limit)
        limits = (limit, *switches, keys, k1, k2, *(throttle or ("", "")), l1, l2)
        await self.queue.library.call("configure", *identity, *limits)

    async def schedule(self, run: str, function: str = "fn", **settings: Any) -> tuple[str, str]:
        """What `verdict` says, without its detail."""
        outcome, known, _ = await self.verdict(run, function, **settings)
        return outcome, known

    async def verdict(
        self,
        run: str,
        function: str = "fn",
        *,
        account: str = "acc",
        env: str = "env",
        entry: str = "",
        idempotency: str = "",
        due: int | None = None,
        score: int | None = None,
        cancels: list[list[Argument]] | None = None,
        start_deadline: int = 0,
        memos: list[tuple[str, bytes]] | None = None,
        target: tuple[str, bytes] = ("", b""),
        rate: tuple[str, int, int] | None = None,
        flow: Flow | None = None,
        events: bytes = b'[{"data":{}}]',
    ) -> tuple[str, str, str]:
        """Outcome, run id and detail (50_schedule.lua)."""
        meta = msgspec.json.encode(RunMeta("app-fn", ["e"], ["01E"]))
        rules = cancels or []
        kept = memos or []
        if rate:
            flow = Flow(rate=Rate(*rate))
        outcome, known, detail = await self.queue.library.call(
            "schedule", self.now, run, function, env, account, "app", entry, idempotency,
            events, due or self.now, score or self.now, meta, start_deadline, b"", *target,
            encode_flow(flow),
            len(rules), *[part for rule in rules for part in rule],
            len(kept), *[part for memo in kept for part in memo],
        )  # fmt: skip
        return outcome.decode(), known.decode(), detail.decode()

    async def lease(self, count: int = 20) -> list[Leased]:
        return (await self.queue.lease(count)).leased

    async def lease_one(self) -> Leased:
        leased = await self.lease(1)
        assert len(leased) == 1
        return leased[0]

    async def commit(
        self, item: Item, *operations: Argument, version: int | None = None, go_on: bool = False
    ) -> CommitResult:
        return await self.queue.commit(
            Commit(item, list(operations), request_version=version, may_continue=go_on)
        )

    async def runs(self, count: int = 20) -> list[str]:
        return [leased.item.run_id for leased in await self.lease(count)]

    async def keys(self) -> set[str]:
        """The keys that hold runs, items and pauses."""
        names = {key.decode().removeprefix(PREFIX + ":") for key in await self.client.execute("KEYS", "*")}
        kinds = (
            "run:",
            "memo:",
            "stack:",
            "pending:",
            "seen:",
            "jobs:",
            "rp:",
            "defer:",
            "i:",
            "p:",
            "h:",
            "pb:",
            "pn:",
            "sig:",
        )
        fixed = {"timers", "leases", "px", "rt"}
        return {name for name in names if name.startswith(kinds) or name in fixed}

    async def zset(self, name: str) -> list[str]:
        return [member.decode() for member in await self.client.execute("ZRANGE", f"{PREFIX}:{name}", 0, -1)]

    async def hash(self, name: str) -> dict[str, str]:
        flat = await self.client.execute("HGETALL", f"{PREFIX}:{name}")
        return {flat[i].decode(): flat[i + 1].decode() for i in range(0, len(flat), 2)}


def use_clock(world: World) -> None:
    clock.set_time_source(lambda: world.now / 1000)
