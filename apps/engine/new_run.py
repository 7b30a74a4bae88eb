"""A run that is to be created: its history record and the arguments of the Lua function `schedule`."""

import msgspec

from apps.engine.functions import FunctionSpec
from apps.engine.records import RunScheduled, encode_records
from apps.engine.store.client import Argument
from apps.engine.store.views import RunMeta


class RateCheck(msgspec.Struct, frozen=True):
    """A place that the run has to find in the sliding window of a bucket; no bucket: none."""

    bucket: str = ""
    limit: int = 0
    period_ms: int = 0


NO_RATE_CHECK = RateCheck()


class NewRun(msgspec.Struct):
    """`events` is the raw JSON array; times are ms. `entry` is the id of the event stream's entry that it
    comes from, `idempotency` its 24 h key, `cancels` those of cancel_rules.py; each may be empty."""

    run_id: str
    spec: FunctionSpec
    meta: RunMeta
    events: bytes
    queued_at: int
    due: int
    entry: str = ""
    idempotency: str = ""
    cron: str = ""
    target_step: str = ""
    target_input: bytes = b""
    rate: RateCheck = NO_RATE_CHECK
    cancels: list[Argument] = msgspec.field(default_factory=lambda: [0])
    memos: list[tuple[str, bytes]] = msgspec.field(default_factory=list)

    @property
    def scheduled_at(self) -> int:
        return max(self.due, self.queued_at)

    @property
    def record(self) -> RunScheduled:
        spec, meta = self.spec, self.meta
        return RunScheduled(
            run_id=self.run_id,
            account_id=spec.account_id,
            env_id=spec.env_id,
            app_id=spec.app_id,
            function_id=spec.id,
            function_version=spec.version,
            queued_at=self.queued_at,
            scheduled_at=self.scheduled_at,
            event_ids=meta.event_ids,
            event_name=meta.event_names[0] if meta.event_names else "",
            schedule_type=meta.schedule_type,
            cron=self.cron,
            original_run_id=meta.original_run_id,
        )

    def arguments(self, now: int) -> list[Argument]:
        """In the order of `schedule` in 50_schedule.lua."""
        spec, rate = self.spec, self.rate
        deadline = self.scheduled_at + spec.start_timeout_ms if spec.start_timeout_ms else 0
        found: list[Argument] = [now, self.run_id, spec.id, spec.env_id, spec.account_id, spec.app_id]
        found += [self.entry, self.idempotency, self.events, self.due, self.queued_at]
        found += [msgspec.json.encode(self.meta), deadline, encode_records([self.record])]
        found += [self.target_step, self.target_input, rate.bucket, rate.limit, rate.period_ms]
        found += [*self.cancels, len(self.memos)]
        return found + [part for memo in self.memos for part in memo]
