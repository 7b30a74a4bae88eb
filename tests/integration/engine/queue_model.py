"""What the queue must do, in few words: a model of limits, throttle, order and leases (spec 02, 3 to 5)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from apps.engine.flow.leaves import key_version
from apps.engine.functions import FunctionSpec
from apps.engine.store.views import Item

Bucket = tuple[str | int, ...]
Limited = tuple[Bucket, int]


@dataclass
class Run:
    """`items` is how many pieces of work it has; `units` are those of runs in progress that it holds."""

    fn: str
    data: Mapping[str, str]
    items: int = 1
    is_admitted: bool = False
    units: frozenset[Bucket] = frozenset()

    def value(self, key: str) -> str:
        """Of a key expression, which is empty or names one field."""
        return self.data[key.removeprefix("event.data.")] if key else ""


@dataclass
class Lease:
    item: Item
    ends: int
    buckets: frozenset[Bucket]


class QueuedItem(NamedTuple):
    """An item as it stands in the store; `keys` is the version of the keys that it is filed under."""

    id: str
    run_id: str
    kind: str
    score: int
    is_admitted: bool
    keys: str

    @property
    def is_new_start(self) -> bool:
        return self.kind == "start" and not self.is_admitted


@dataclass
class QueueModel:
    now: int
    specs: dict[str, FunctionSpec] = field(default_factory=dict)
    account_limits: dict[str, int] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    arrivals: dict[Bucket, float] = field(default_factory=dict)

    def holders(self, bucket: Bucket) -> int:
        return sum(bucket in lease.buckets for lease in self.leases.values())

    def runs_in_progress(self, bucket: Bucket) -> int:
        return sum(bucket in run.units for run in self.runs.values())

    def slots(self, run: Run) -> list[Limited]:
        """What each request of the run takes a unit of, with the limits of today."""
        spec = self.specs[run.fn]
        own = min((rule.limit for rule in spec.concurrency if not rule.key), default=10**6)
        account = self.account_limits[spec.account_id]
        return [(("function", run.fn), own), (("account", spec.account_id), account), *self.keyed(run)]

    def keyed(self, run: Run) -> Iterator[Limited]:
        spec = self.specs[run.fn]
        for rule in spec.concurrency:
            if rule.key:
                places = {"fn": (run.fn, rule.key), "env": (spec.env_id,), "account": (spec.account_id,)}
                yield ("key", rule.scope, *places[rule.scope], run.value(rule.key)), rule.limit

    def run_units(self, run: Run) -> list[Limited]:
        """What a run in progress takes a unit of."""
        rules = enumerate(self.specs[run.fn].run_concurrency)
        return [((run.fn, number, run.value(rule.key)), rule.limit) for number, rule in rules]

    def throttle_bucket(self, run: Run) -> Bucket | None:
        throttle = self.specs[run.fn].throttle
        return (run.fn, run.value(throttle.key)) if throttle else None

    def next_arrival(self, run: Run) -> tuple[float, bool]:
        """GCRA: the arrival time to store if a start is let in now, and whether it may be."""
        throttle, bucket = self.specs[run.fn].throttle, self.throttle_bucket(run)
        assert throttle is not None
        assert bucket is not None
        interval = throttle.period_ms / throttle.limit
        arrival = max(self.arrivals.get(bucket, 0.0), self.now) + interval
        return arrival, self.now >= arrival - interval * (throttle.limit + throttle.burst)

    def gate(self, run: Run) -> str:
        """What keeps the run from starting now, beside slots; empty where nothing does."""
        if self.specs[run.fn].throttle and not self.next_arrival(run)[1]:
            return "throttle"
        full = [bucket for bucket, limit in self.run_units(run) if self.runs_in_progress(bucket) >= limit]
        return f"runs in progress {full}" if full else ""

    def obstacle(self, run: Run, *, is_new_start: bool, has_old_keys: bool = False) -> str:
        """What keeps an item of the run from being leased now; empty where nothing does."""
        if self.specs[run.fn].paused:
            return "paused"
        slots = self.slots(run)[: 2 if has_old_keys else None]
        full = [bucket for bucket, limit in slots if self.holders(bucket) >= limit]
        if full:
            return f"full {full}"
        return self.gate(run) if is_new_start and not has_old_keys else ""

    def has_old_keys(self, item: QueuedItem) -> bool:
        return item.keys != key_version(self.specs[self.runs[item.run_id].fn])

    def queue_of(self, run: Run) -> tuple[object, ...]:
        """Runs with the same keys are in one queue."""
        keys = ([bucket for bucket, _ in self.keyed(run)], [bucket for bucket, _ in self.run_units(run)])
        return run.fn, *keys, self.throttle_bucket(run)

    def overtaken(self, item: Item, queued: Iterable[QueuedItem]) -> list[QueuedItem]:
        """What is older in the item's queue and could be leased instead of it."""
        run, by_id = self.runs[item.run_id], {other.id: other for other in queued}
        if item.id not in by_id:
            return []
        return [
            other
            for other in by_id.values()
            if other.score < by_id[item.id].score
            and self.queue_of(self.runs[other.run_id]) == self.queue_of(run)
            and not self.has_old_keys(other)
            and not (other.is_new_start and self.gate(self.runs[other.run_id]))
        ]

    def lease(self, item: Item, ends: int) -> None:
        """Check that the item may be leased, and take what it takes."""
        assert item.id not in self.leases, "leased twice"
        run = self.runs[item.run_id]
        is_new_start = item.kind == "start" and not run.is_admitted
        assert item.due_at <= self.now, "leased before its time"
        obstacle = self.obstacle(run, is_new_start=is_new_start)
        assert not obstacle, f"{item.run_id} was leased although: {obstacle}"
        if is_new_start:
            self._admit(run)
        self.leases[item.id] = Lease(item, ends, frozenset(bucket for bucket, _ in self.slots(run)))

    def _admit(self, run: Run) -> None:
        bucket = self.throttle_bucket(run)
        if bucket is not None:
            self.arrivals[bucket] = self.next_arrival(run)[0]
        run.is_admitted, run.units = True, frozenset(unit for unit, _ in self.run_units(run))

    def idle_work(self, queued: Iterable[QueuedItem]) -> list[QueuedItem]:
        """What is ready and could be leased now."""
        return [
            item
            for item in queued
            if not self.obstacle(
                self.runs[item.run_id],
                is_new_start=item.is_new_start,
                has_old_keys=self.has_old_keys(item),
            )
        ]

    def overdue(self) -> list[Lease]:
        return [lease for lease in self.leases.values() if lease.ends <= self.now]
