"""What recovery reads of history: pages in the order of an index, never a whole table. Synchronous."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, Q

from apps.engine.protocol import ids
from apps.events.models import Event, EventOutcome, EventPayload
from apps.runs.choices import FIRST_TERMINAL_RUN_STATUS, RunStatus
from apps.runs.models import Run, RunEvent, RunPayload, StepAttempt, StepPayload

UNFINISHED = (RunStatus.SCHEDULED, RunStatus.RUNNING)
REPEATED = frozenset({"Rerun", "Replay"})

PayloadKey = tuple[str, int]
_FOR_EVER = 2**62
_RECENT_MS = 600_000


@dataclass(frozen=True, slots=True)
class StartEvent:
    """One of the events that a run was started with."""

    row: Event
    body: bytes

    @property
    def stream_id(self) -> str:
        return self.row.key.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Child:
    """The run that an invoke started. `output` is raw JSON: the result, or the error of a failed run."""

    run: Run
    output: bytes


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """An event that a function held back, by its debounce or its batch (`reason`)."""

    event: Event
    body: bytes
    function_id: str
    reason: str
    has_run: bool


@dataclass(slots=True)
class Facts:
    """Everything that history has of one run. `events` is empty where not all of them are stored."""

    run: Run
    events: list[StartEvent] = field(default_factory=list)
    attempts: list[StepAttempt] = field(default_factory=list)
    payloads: dict[PayloadKey, StepPayload] = field(default_factory=dict)


class History:
    """Reads from the database `using`; `shard` is the one whose events it reads."""

    def __init__(self, shard: str, using: str = "default") -> None:
        self.shard = shard
        self.using = using

    def environments(self) -> list[uuid.UUID]:
        """Those with runs, each found by a look into the index."""
        rows = (
            Run.objects.using(self.using).order_by("environment_id").values_list("environment_id", flat=True)
        )
        found: list[uuid.UUID] = []
        following = rows.exclude(environment_id=uuid.UUID(int=0)).first()
        while following is not None:
            found.append(following)
            following = rows.filter(environment_id__gt=following).first()
        return found

    def has_work(self) -> bool:
        """Whether some run has not ended, or some event of the last minutes has no outcome."""
        for environment_id in self.environments():
            if any(self.unfinished(environment_id, status, (0, ""), 1, _FOR_EVER) for status in UNFINISHED):
                return True
        return bool(self.unhandled_events(self.newest_event_at() - _RECENT_MS, "", 1))

    def unfinished(
        self, environment_id: uuid.UUID, status: int, after: tuple[int, str], limit: int, until: int
    ) -> list[Run]:
        """Runs of one status, queued until `until` (ms), after the (queued_at, run id) of the last page."""
        queued_at, run_id = after
        rows = Run.objects.using(self.using).filter(
            environment_id=environment_id, status=status, queued_at__gte=queued_at, queued_at__lte=until
        )
        rows = rows.exclude(queued_at=queued_at, run_id__lte=run_id)
        return list(rows.order_by("queued_at", "run_id")[:limit])

    def runs(self, environment_id: uuid.UUID, run_ids: Sequence[str]) -> dict[str, Run]:
        rows = Run.objects.using(self.using).filter(environment_id=environment_id, run_id__in=run_ids)
        return {run.run_id: run for run in rows}

    def facts(self, environment_id: uuid.UUID, runs: Sequence[Run]) -> list[Facts]:
        found = {run.run_id: Facts(run) for run in runs}
        for attempt in StepAttempt.objects.using(self.using).filter(run_id__in=list(found)):
            found[attempt.run_id].attempts.append(attempt)
        for payload in StepPayload.objects.using(self.using).filter(run_id__in=list(found)):
            found[payload.run_id].payloads[(payload.step_id, payload.attempt)] = payload
        event_ids = self._event_ids(list(found))
        stored = self._events(environment_id, {one for ids_ in event_ids.values() for one in ids_})
        for run_id, of_run in event_ids.items():
            chosen = [_choose(found[run_id].run, stored.get(event_id, [])) for event_id in of_run]
            found[run_id].events = [event for event in chosen if event] if all(chosen) else []
        return list(found.values())

    def children(self, environment_id: uuid.UUID, event_ids: Sequence[str]) -> dict[str, Child]:
        """By the internal id of the event that invoked: the run that it started."""
        started = RunEvent.objects.using(self.using).filter(event_id__in=event_ids)
        event_of = {row.run_id: row.event_id for row in started}
        runs = self.runs(environment_id, list(event_of)).values()
        rows = RunPayload.objects.using(self.using).filter(run_id__in=[run.run_id for run in runs])
        outputs = dict(rows.values_list("run_id", "output"))
        return {
            event_of[run.run_id]: Child(run, outputs.get(run.run_id, "").encode())
            for run in runs
            if run.schedule_type not in REPEATED
        }

    def known_events(self, environment_id: uuid.UUID, event_ids: Sequence[str]) -> set[str]:
        rows = Event.objects.using(self.using).filter(
            environment_id=environment_id, internal_id__in=event_ids
        )
        return set(rows.values_list("internal_id", flat=True))

    def bodies(self, keys: Sequence[str]) -> Mapping[str, str]:
        return dict(EventPayload.objects.using(self.using).filter(key__in=keys).values_list("key", "body"))

    def newest_event_at(self) -> int:
        """Reception of the last event of this shard, ms; 0 where there is none."""
        rows = Event.objects.using(self.using).filter(**self._own_keys("")).order_by("-key")
        newest = rows.values_list("received_at", flat=True).first()
        return newest or 0

    def unhandled_events(self, since: int, after: str, limit: int) -> list[Event]:
        """Events received since `since` (ms) without an outcome, by key, after the last page's last key."""
        outcome = EventOutcome.objects.filter(key=OuterRef("key"))
        start = max(after, f"{self.shard}:{since}")
        rows = Event.objects.using(self.using).filter(~Exists(outcome), **self._own_keys(start))
        return list(rows.order_by("key")[:limit])

    def unhandled_of(self, events: Sequence[Event]) -> list[Event]:
        """Those that still have no outcome."""
        keys = [event.key for event in events]
        handled = set(
            EventOutcome.objects.using(self.using).filter(key__in=keys).values_list("key", flat=True)
        )
        return [event for event in events if event.key not in handled]

    def held_back(self, since: int, after: str, limit: int) -> tuple[str, list[HeldEvent]]:
        """What debounces and batches have held of the events received since `since` (ms), by their keys.

        Also the key after which the next page begins; empty at the end.
        """
        start = max(after, f"{self.shard}:{since}")
        is_held = Q(skipped__contains='"Batched"') | Q(skipped__contains='"Debounced"')
        rows = EventOutcome.objects.using(self.using).filter(is_held, **self._own_keys(start))
        skips = {row.key: row.skipped_list() for row in rows.order_by("key")[:limit]}
        events = self.events_with_bodies(list(skips))
        ids_ = [event.internal_id for event, _ in events]
        started = {(event_id, function_id) for event_id, function_id, _ in self.runs_of_events(ids_)}
        found = [
            HeldEvent(event, body, function_id, reason, (event.internal_id, function_id) in started)
            for event, body in events
            for function_id, reason, _ in skips[event.key]
            if reason in ("Batched", "Debounced")
        ]
        return max(skips, default=""), found

    def events_with_bodies(self, keys: Sequence[str]) -> list[tuple[Event, bytes]]:
        """In the order of their keys; those whose body is gone are left out."""
        bodies = self.bodies(keys)
        rows = Event.objects.using(self.using).filter(key__in=keys).order_by("key")
        return [(event, bodies[event.key].encode()) for event in rows if event.key in bodies]

    def runs_of_events(self, event_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """(internal event id, function id, run id) of the runs that events started, but for repeated ones."""
        started = RunEvent.objects.using(self.using).filter(event_id__in=event_ids)
        event_of = [(row.event_id, row.run_id) for row in started]
        rows = Run.objects.using(self.using).filter(run_id__in=[run_id for _, run_id in event_of])
        function_of = {run.run_id: str(run.function_id) for run in rows if run.schedule_type not in REPEATED}
        return [
            (event_id, function_of[run_id], run_id) for event_id, run_id in event_of if run_id in function_of
        ]

    def recent_runs(
        self, environment_id: uuid.UUID, after: tuple[int, str], limit: int
    ) -> list[tuple[Run, Event | None]]:
        """Runs of any status with their first events, after the (queued_at, run id) of the last page."""
        queued_at, run_id = after
        rows = Run.objects.using(self.using).filter(environment_id=environment_id, queued_at__gte=queued_at)
        page = rows.exclude(queued_at=queued_at, run_id__lte=run_id).order_by("queued_at", "run_id")
        runs = list(page[:limit])
        event_ids = {run: ids_[0] for run, ids_ in self._event_ids([r.run_id for r in runs]).items() if ids_}
        events = Event.objects.using(self.using).filter(
            environment_id=environment_id, internal_id__in=list(event_ids.values())
        )
        stored = {event.internal_id: event for event in events}
        return [(run, stored.get(event_ids.get(run.run_id, ""))) for run in runs]

    def _own_keys(self, after: str) -> dict[str, str]:
        # Stream ids begin with a time of 13 digits, so that every key of the shard is below "<shard>:9".
        return {"key__gt": after or f"{self.shard}:", "key__lt": f"{self.shard}:9"}

    def _event_ids(self, run_ids: Sequence[str]) -> dict[str, list[str]]:
        rows = RunEvent.objects.using(self.using).filter(run_id__in=run_ids).order_by("run_id", "position")
        found: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
        for run_id, event_id in rows.values_list("run_id", "event_id"):
            found[run_id].append(event_id)
        return found

    def _events(self, environment_id: uuid.UUID, event_ids: set[str]) -> dict[str, list[StartEvent]]:
        rows = Event.objects.using(self.using).filter(
            environment_id=environment_id, internal_id__in=list(event_ids)
        )
        events = list(rows.order_by("received_at", "key"))
        bodies = self.bodies([event.key for event in events])
        found: dict[str, list[StartEvent]] = {}
        for event in events:
            if event.key in bodies:
                found.setdefault(event.internal_id, []).append(StartEvent(event, bodies[event.key].encode()))
        return found


def has_ended(run: Run) -> bool:
    return run.status >= FIRST_TERMINAL_RUN_STATUS


def chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _choose(run: Run, sent: Sequence[StartEvent]) -> StartEvent | None:
    """Of an event that was sent several times under one id: the entry that started the run."""
    own = (event for event in sent if ids.entry_ulid(event.stream_id, str(run.function_id)) == run.run_id)
    return next(own, sent[0] if sent else None)
