"""Events that a debounce or a batch held back when Redis was emptied: they are given to it again.

History says that an event was held back, and of a run whether there is one. Events of a batch that has not
started have no run; of a debounce only the latest event counts, and it waits as long as it has no run.
"""

from collections.abc import AsyncIterator, Iterable

import msgspec

from apps.engine.engine import Engine
from apps.engine.event_stream import parse_context
from apps.engine.flow import admission
from apps.engine.flow.keys import KeyReader
from apps.engine.functions import FunctionSpec
from apps.engine.runner.service import Runner
from apps.runs.recovery.handing_over import incoming_of
from apps.runs.recovery.reading import HeldEvent, History
from apps.runs.recovery.thread import DatabaseThread

_PAGE = 200
_HOUR_MS = 3_600_000


class HeldBack:
    def __init__(self, engine: Engine, history: History, thread: DatabaseThread, runner: Runner) -> None:
        self._engine = engine
        self._history = history
        self._thread = thread
        self._runner = runner

    async def restore(self) -> int:
        """How many events are held back again. To be called where nothing is held back in Redis."""
        window = _longest_hold_ms(self._engine.functions.all())
        if not window:
            return 0
        since = await self._thread.read(self._history.newest_event_at) - window - _HOUR_MS
        debounced = _LatestEvents()
        count = 0
        async for page in self._pages(since):
            for held in page:
                spec = self._engine.functions.get(held.function_id)
                if spec is None or spec.archived:
                    continue
                if held.reason == "Debounced":
                    debounced.note(spec, held)
                elif not held.has_run:
                    await self._hold(held.event.key, held.function_id)
                    count += 1
        for key, function_id in debounced.waiting():
            await self._hold(key, function_id)
            count += 1
        return count

    async def _pages(self, since: int) -> AsyncIterator[list[HeldEvent]]:
        after = ""
        while True:
            after, page = await self._thread.read(
                lambda after=after: self._history.held_back(since, after, _PAGE)  # type: ignore[misc]
            )
            if not after:
                return
            yield page

    async def _hold(self, key: str, function_id: str) -> None:
        """Let the function have the event again, and no other."""
        for event, body in await self._thread.read(lambda: self._history.events_with_bodies([key])):
            context = msgspec.structs.replace(parse_context(event.context), function_id=function_id)
            await self._runner.handle([incoming_of(event, body, context)], is_repeat=True)


class _LatestEvents:
    """The latest event of each bucket of a debounce: when it occurred, its key, whether it has a run."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], tuple[int, str, bool]] = {}

    def note(self, spec: FunctionSpec, held: HeldEvent) -> None:
        """Events come in the order of their reception."""
        if spec.debounce is None:
            return
        reader = KeyReader(lambda: msgspec.json.decode(held.body))
        bucket = (spec.id, admission.bucket_of(spec, "debounce", spec.debounce.key, reader))
        known = self._latest.get(bucket)
        if known is None or held.event.ts >= known[0]:
            self._latest[bucket] = (held.event.ts, held.event.key, held.has_run)

    def waiting(self) -> list[tuple[str, str]]:
        """(event key, function id)"""
        return [(key, place[0]) for place, (_, key, has_run) in self._latest.items() if not has_run]


def _longest_hold_ms(specs: Iterable[FunctionSpec]) -> int:
    holds = [0]
    for spec in specs:
        if spec.debounce:
            holds.append(max(spec.debounce.period_ms, spec.debounce.timeout_ms))
        if spec.batch:
            holds.append(spec.batch.timeout_ms)
    return max(holds)
