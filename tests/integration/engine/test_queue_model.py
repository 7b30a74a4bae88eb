"""The queue on a real server against a model of it (queue_model.py), under random work.

After each action: limits hold, nothing is leased twice or early, nothing is lost, nothing overtakes in its
queue, and a lease that brings less than was asked for leaves nothing that could run. In the end everything
can be drained. STEPWELL_MODEL_EXAMPLES asks for more examples than the CI budget allows.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_as_test

from apps.engine import clock
from apps.engine.flow.admission import Flow
from apps.engine.flow.keys import KeyReader
from apps.engine.flow.leaves import find_leaf
from apps.engine.flow.limits import node_limits
from apps.engine.functions import ConcurrencyLimit, FunctionSpec, RunConcurrencyLimit, Throttle
from apps.engine.keys import Keys
from apps.engine.recovery import verification
from apps.engine.store.client import Argument, RedisClient
from apps.engine.store.queue import LeaseBatch, Queue, Unkeyed
from apps.engine.store.views import Item
from tests.integration.engine.queue_model import QueuedItem, QueueModel, Run
from tests.integration.engine.queue_world import PREFIX, START_MS, World, use_clock

PLACES = {"fn1": ("acc1", "env1"), "fn2": ("acc1", "env1"), "fn3": ("acc1", "env2"), "fn4": ("acc2", "env3")}
FIELDS = st.sampled_from(["event.data.a", "event.data.b"])
VALUES = st.sampled_from(["x", "y"])
FEW = st.integers(1, 3)
CONCURRENCY = st.builds(ConcurrencyLimit, FEW, FIELDS, st.sampled_from(["fn", "env", "account"]))
THROTTLES = st.builds(
    Throttle,
    limit=st.integers(1, 2),
    period_ms=st.sampled_from([7_000, 10_000]),
    burst=st.integers(0, 1),
    key=st.sampled_from(["", "event.data.a"]),
)
RUN_CONCURRENCY = st.builds(RunConcurrencyLimit, FEW, st.sampled_from(["", "event.data.a"]))
SETTINGS = st.fixed_dictionaries(
    {
        "concurrency": st.tuples(
            st.lists(st.builds(ConcurrencyLimit, FEW), max_size=1), st.lists(CONCURRENCY, max_size=2)
        ).map(lambda parts: tuple(parts[0] + parts[1])),
        "throttle": st.none() | THROTTLES,
        "run_concurrency": st.lists(RUN_CONCURRENCY, max_size=2).map(tuple),
        "paused": st.sampled_from([False, False, False, True]),
    }
)
FUNCTIONS = st.sampled_from(sorted(PLACES))
DELAYS = st.sampled_from([0, 0, 0, 2_000])
ANSWERS = st.sampled_from(["step", "step", "step", "group", "sleep", "retry", "later", "end"])
DIES = st.sampled_from([False, False, False, True])
NUMBERS = st.integers(0, 10**6)
EXAMPLES = int(os.environ.get("STEPWELL_MODEL_EXAMPLES", "25"))
BUDGET = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=list(HealthCheck),
)
ABANDONED_MS = 20_001
LIVE_KEYS = ("i:", "r:", "rs:", "q:", "h:", "w:", "wb:", "jobs:", "run:", "timers", "leases", "gates")


class QueueMachine(RuleBasedStateMachine):
    """Workers, clients and operators who do what they like with four functions of two accounts."""

    redis_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.wait(self.open())
        self.model = QueueModel(START_MS)
        self.lost: list[Item] = []
        self.unkeyed: list[Unkeyed] = []
        self.count = 0

    def wait(self, action: Any) -> Any:
        return self.runner.run(action)

    async def open(self) -> World:
        client = await RedisClient.connect(self.redis_url)
        await client.execute("FLUSHALL")
        world = World(client, Queue(client, PREFIX))
        use_clock(world)
        return world

    def call(self, name: str, *args: Argument) -> Any:
        return self.wait(self.world.queue.library.call(name, *args))

    @initialize(drawn=st.fixed_dictionaries(dict.fromkeys(PLACES, SETTINGS)))
    def set_up(self, drawn: dict[str, dict[str, Any]]) -> None:
        for fn, chosen in drawn.items():
            self.configure(fn, chosen, 4)

    @rule(fn=FUNCTIONS, chosen=SETTINGS, account_limit=st.integers(2, 6))
    def configure(self, fn: str, chosen: dict[str, Any], account_limit: int) -> None:
        self.count += 1
        account, env = PLACES[fn]
        spec = FunctionSpec(fn, fn, fn, "app", "app", env, account, self.count, "http://x", **chosen)
        self.model.specs[fn], self.model.account_limits[account] = spec, account_limit
        self.call("configure", fn, env, account, self.count, "{}", 0, account_limit, *node_limits(spec))

    @rule(
        drawn=st.lists(
            st.tuples(FUNCTIONS, VALUES, VALUES, st.integers(-5, 5), DELAYS), min_size=1, max_size=6
        )
    )
    def schedule(self, drawn: list[tuple[str, str, str, int, int]]) -> None:
        for one in drawn:
            self.schedule_one(*one)

    def schedule_one(self, fn: str, a: str, b: str, ahead: int, delay: int) -> None:
        self.count += 1
        run_id, data, spec = f"run{self.count}", {"a": a, "b": b}, self.model.specs[fn]
        outcome, _ = self.wait(
            self.world.schedule(
                run_id,
                fn,
                account=spec.account_id,
                env=spec.env_id,
                due=self.world.now + delay,
                score=self.world.now - ahead * 1_000,
                flow=flow_of(spec, data),
            )
        )
        assert outcome == ("paused" if spec.paused else "created")
        if not spec.paused:
            self.model.runs[run_id] = Run(fn, data)

    @rule(drawn=st.lists(st.tuples(st.integers(1, 6), DIES), min_size=1, max_size=3))
    def leases(self, drawn: list[tuple[int, bool]]) -> None:
        for one in drawn:
            self.lease(*one)

    def lease(self, count: int, dies: bool) -> None:
        queued = self.queued()
        batch: LeaseBatch = self.wait(self.world.queue.lease(count))
        taken = {unkeyed.item_id for unkeyed in batch.unkeyed}
        for leased in batch.leased:
            others = [item for item in queued if item.id not in taken]
            overtaken = self.model.overtaken(leased.item, others)
            assert not overtaken, f"{leased.item} overtook {overtaken}"
            self.model.lease(leased.item, self.world.now + 20_000)
            taken.add(leased.item.id)
        if len(batch.leased) + len(batch.unkeyed) < count and not self.exists("changed"):
            idle = self.model.idle_work(self.queued())
            assert not idle, f"could run: {idle}"
        if dies:
            self.unkeyed += batch.unkeyed
        else:
            self.rekey(batch.unkeyed)

    def rekey(self, items: list[Unkeyed]) -> None:
        for unkeyed in items:
            data = self.model.runs[unkeyed.run_id].data
            flow = flow_of(self.model.specs[unkeyed.function_id], data)
            assert self.wait(self.world.queue.rekey(unkeyed, flow.kv, flow.leaf, flow.gates, ""))

    @precondition(lambda self: self.model.leases)
    @rule(drawn=st.lists(st.tuples(NUMBERS, ANSWERS, st.booleans()), min_size=1, max_size=5))
    def commits(self, drawn: list[tuple[int, str, bool]]) -> None:
        for one in drawn:
            if self.model.leases:
                self.commit(*one)

    def commit(self, number: int, what: str, go_on: bool) -> None:
        lease = pick(list(self.model.leases.values()), number)
        item, run = lease.item, self.model.runs.get(lease.item.run_id)
        queued = self.queued()
        operations, items = self.answer(item, what)
        result = self.wait(self.world.commit(item, *operations, go_on=go_on))
        del self.model.leases[item.id]
        if run is None:
            assert result.outcome == "ended"
            return
        assert result.outcome == "ok"
        run.items += items
        if what == "end":
            del self.model.runs[item.run_id]
        if result.next_item is not None:
            assert go_on
            ours = QueuedItem(result.next_item.id, item.run_id, "edge", self.score_of(item), True, "")
            others = [other for other in queued if other.id != ours.id]
            assert not self.model.overtaken(result.next_item, [ours, *others])
            self.model.lease(result.next_item, self.world.now + 20_000)

    def answer(self, item: Item, what: str) -> tuple[list[Argument], int]:
        """Operations, and by how many they change the number of the run's items."""
        self.count += 1
        step = f"s{self.count}"
        if what == "end":
            return ["F", 0], 0
        if what in ("retry", "later"):
            return ["R", self.world.now + (3_000 if what == "later" else 0), 1, ""], 0
        if item.step_id:
            is_last = self.model.runs.get(item.run_id, Run("", {})).items == 1
            return ["S", item.step_id, b"1", "0"], 0 if is_last else -1
        if what == "group":
            names = [f"{step}a", f"{step}b"]
            return ["Q", 2, *names, *(part for name in names for part in ("P", name, "0"))], 1
        if what == "sleep":
            return ["Z", step, self.world.now + 5_000, "0", b""], 0
        return ["S", step, b"1", "0"], 0

    def score_of(self, item: Item) -> int:
        raw = self.wait(self.world.client.execute("HGET", f"{PREFIX}:run:{item.run_id}", "sc"))
        return int(raw or 0)

    @precondition(lambda self: self.lost)
    @rule(number=NUMBERS)
    def commit_late(self, number: int) -> None:
        item = pick(self.lost, number)
        assert self.wait(self.world.commit(item, "S", "late", b"1", "0")).outcome == "gone"

    @precondition(lambda self: self.model.leases)
    @rule()
    def extend(self) -> None:
        held = [lease.item for lease in self.model.leases.values()]
        lost = self.wait(self.world.queue.extend([*held, *self.lost]))
        assert lost == {item.id for item in self.lost}
        for lease in self.model.leases.values():
            lease.ends = self.world.now + 20_000

    @rule(ms=st.sampled_from([1, 999, 3_500, 7_000, 20_001]), is_swept=st.booleans())
    def let_pass(self, ms: int, is_swept: bool) -> None:
        self.advance(ms)
        if is_swept:
            self.sweep()
        self.tick()

    def advance(self, ms: int) -> None:
        self.world.advance(ms)
        self.model.now = self.world.now

    def sweep(self) -> None:
        self.call("sweep", self.world.now, 100)
        for lease in self.model.overdue():
            self.lost.append(lease.item)
            del self.model.leases[lease.item.id]

    @rule()
    def forget_empty_leaves(self) -> None:
        """A minute later: an empty leaf has a time to live."""
        names = self.names("n:k:")
        for name, left in zip(names, self.read_all("TTL", names), strict=True):
            if left >= 0:
                self.wait(self.world.client.execute("DEL", name))

    def tick(self) -> None:
        self.call("tick", self.world.now, 100)

    @precondition(lambda self: self.model.runs)
    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        run_id = pick(sorted(self.model.runs), number)
        del self.model.runs[run_id]
        assert self.call("finish", run_id, b"", "", 0) == 1

    def exists(self, name: str) -> bool:
        return bool(self.wait(self.world.client.execute("EXISTS", f"{PREFIX}:{name}")))

    def names(self, start: str) -> list[str]:
        found = self.wait(self.world.client.execute("KEYS", f"{PREFIX}:{start}*"))
        return sorted(name.decode() for name in found)

    def read_all(self, command: str, names: list[str], *options: Argument) -> list[Any]:
        found: list[Any] = self.wait(
            self.world.client.pipeline([(command, name, *options) for name in names])
        )
        return found

    def places(self) -> Counter[tuple[str, str]]:
        """(kind of place, item) of every item that is queued, timed or leased."""
        names = [*self.names("r:f:"), *self.names("r:k:"), *self.names("rs:k:")]
        names += [f"{PREFIX}:timers", f"{PREFIX}:leases"]
        found: Counter[tuple[str, str]] = Counter()
        for name, members in zip(names, self.read_all("ZRANGE", names, 0, -1), strict=True):
            kind = name.removeprefix(PREFIX + ":")
            place = "ready" if kind.startswith("r") else kind
            found.update((place, member.decode()) for member in members)
        return found

    def queued(self) -> list[QueuedItem]:
        """What is ready or due, of live runs."""
        ids = sorted(item for place, item in self.places() if place != "leases")
        names = [f"{PREFIX}:i:{item}" for item in ids]
        fields = self.read_all("HMGET", names, "r", "k", "sc", "tk", "kv", "at", "g")
        return [
            QueuedItem(
                item,
                run.decode(),
                kind.decode(),
                int(score),
                taken == b"1" or int(g) > 1,
                (keys or b"").decode(),
            )
            for item, (run, kind, score, taken, keys, due, g) in zip(ids, fields, strict=True)
            if kind != b"sleep" and int(due) <= self.world.now
        ]

    @invariant()
    def nothing_is_lost(self) -> None:
        """Each live run has its items, and each of these is in one place."""
        places = self.places()
        assert set(places.values()) <= {1}
        where = {item: place for place, item in places}
        assert len(where) == len(places), f"in two places: {places}"
        names = [f"{PREFIX}:jobs:{run_id}" for run_id in self.model.runs]
        for run_id, members in zip(self.model.runs, self.read_all("SMEMBERS", names), strict=True):
            items = {member.decode() for member in members}
            assert len(items) == self.model.runs[run_id].items, run_id
            assert items <= where.keys(), f"{run_id}: {items - where.keys()} is nowhere"
        for item_id in self.model.leases:
            assert where[item_id] == "leases"

    @invariant()
    def slots_are_those_of_the_leases(self) -> None:
        for kind, prefix, names in (("function", "h:f:", PLACES), ("account", "h:a:", ("acc1", "acc2"))):
            keys = [f"{PREFIX}:{prefix}{name}" for name in names]
            held = dict(zip(names, self.read_all("SCARD", keys), strict=True))
            assert held == {name: self.model.holders((kind, name)) for name in names}
        counted = sum(len(lease.buckets) - 2 for lease in self.model.leases.values())
        assert sum(self.read_all("SCARD", self.names("h:c:"))) == counted
        in_progress = sum(len(run.units) for run in self.model.runs.values())
        assert sum(self.read_all("SCARD", self.names("h:r:"))) == in_progress

    @rule()
    def verify(self) -> None:
        verifier = verification.Verifier(self.world.client, Keys("0"))
        found = self.wait(verifier.check_everything(repair=False))
        found.pop("lease_overdue", None)
        assert found == {}

    def teardown(self) -> None:
        try:
            if self.model.specs and sys.exc_info()[0] is None:
                self.drain()
        finally:
            self.wait(self.world.client.close())
            self.runner.close()

    def drain(self) -> None:
        """Every worker has died, every function is resumed: one worker ends every run."""
        for fn, spec in self.model.specs.items():
            if spec.paused:
                self.configure(fn, {"concurrency": spec.concurrency, "throttle": spec.throttle,
                                    "run_concurrency": spec.run_concurrency}, 4)  # fmt: skip
        self.advance(ABANDONED_MS)
        self.sweep()
        for _ in range(40 + 20 * len(self.model.runs)):
            self.tick()
            self.lease(6, dies=False)
            if not self.model.leases:
                self.advance(1_000)
            while self.model.leases:
                self.commit(0, "end", go_on=False)
        assert self.model.runs == {}
        self.advance(600_000)
        self.tick()
        self.lease(6, dies=False)
        assert [name for start in LIVE_KEYS for name in self.names(start)] == []


def flow_of(spec: FunctionSpec, data: Mapping[str, str]) -> Flow:
    leaf = find_leaf(spec, KeyReader(lambda: {"data": data}))
    return Flow(leaf.name, leaf.version, leaf.gates) if leaf else Flow()


def pick(among: list[Any], number: int) -> Any:
    return among[number % len(among)]


def test_the_queue_keeps_to_its_model(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(QueueMachine, "redis_url", redis_url)
    try:
        run_as_test(QueueMachine, settings=BUDGET)
    finally:
        clock.set_time_source(None)
