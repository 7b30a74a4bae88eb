"""A run that is to be created: its history record and the arguments of the Lua function `schedule`."""

import msgspec

from apps.engine.flow.admission import Flow, encode_flow
from apps.engine.functions import FunctionSpec
from apps.engine.records import RunScheduled, encode_records
from apps.engine.store.client import Argument
from apps.engine.store.views import RunMeta


class NewRun(msgspec.Struct):
    """`events` is the raw JSON array; times are ms. `entry` is the id of the event stream's entry that it
    comes from, `idempotency` its 24 h key, `cancels` those of cancel_rules.py; each may be empty.
    `priority_ms` moves the run ahead in its queue; `problems` are those of its key expressions."""

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
    flow: Flow | None = None
    priority_ms: int = 0
    problems: list[str] = msgspec.field(default_factory=list)
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
            flow=self._shown_flow(),
        )

    def skipped(self, reason: str, holder: str = "") -> RunScheduled:
        """The record of this run as one that is not made (spec 02, 1.5)."""
        return msgspec.structs.replace(self.record, skip_reason=reason, skip_existing_run_id=holder)

    def _shown_flow(self) -> bytes:
        """Keys, priority and problems for people, as JSON; empty where there is nothing to tell."""
        shown: dict[str, object] = {}
        if self.flow is not None and self.flow.shown:
            shown["keys"] = msgspec.Raw(self.flow.shown.encode())
        if self.priority_ms:
            shown["priority_seconds"] = self.priority_ms // 1000
        if self.problems:
            shown["problems"] = self.problems
        return msgspec.json.encode(shown) if shown else b""

    def arguments(self, now: int) -> list[Argument]:
        """In the order of `schedule` in 50_schedule.lua."""
        spec = self.spec
        deadline = self.scheduled_at + spec.start_timeout_ms if spec.start_timeout_ms else 0
        found: list[Argument] = [now, self.run_id, spec.id, spec.env_id, spec.account_id, spec.app_id]
        score = self.queued_at - self.priority_ms
        found += [self.entry, self.idempotency, self.events, self.due, score]
        found += [msgspec.json.encode(self.meta), deadline, encode_records([self.record])]
        found += [self.target_step, self.target_input, encode_flow(self.flow), *self.cancels, len(self.memos)]
        return found + [part for memo in self.memos for part in memo]
