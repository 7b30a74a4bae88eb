"""The one thread of the writer that talks to the database, with its own connection."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from apps.engine.event_stream import parse_entry
from apps.engine.keys import Keys
from apps.engine.records import decode_records
from apps.engine.telemetry import process_counters, tally_records
from apps.runs.history.batch import BadRecord, Batch
from apps.runs.history.store import HistoryStore
from apps.runs.history.streams import Entry
from apps.runs.models import Run

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What a batch came to: the runs that changed, those that changed in lists, what was refused."""

    version: int
    runs: list[str]
    listed: list[str]
    refused: list[tuple[Entry, str]] = field(default_factory=list)


class HistoryDatabase:
    def __init__(self, keys: Keys, shard: str, using: str = "default") -> None:
        self._keys = keys
        self._shard = shard
        self._using = using
        self._store = HistoryStore(using)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history-writer")

    async def write(self, entries: Sequence[Entry]) -> Written:
        """Merge and commit `entries`; raises what `HistoryStore.write` raises."""
        return await self._in_thread(lambda: self._write(entries))

    async def refresh_statistics(self) -> None:
        await self._in_thread(self._store.refresh_statistics)

    async def environments(self, run_ids: list[str]) -> dict[str, str]:
        """The environment id of each run, in the order in which they were last changed."""

        def read() -> dict[str, str]:
            found = Run.objects.using(self._using).filter(run_id__in=run_ids).order_by("version")
            return {run_id: str(env) for run_id, env in found.values_list("run_id", "environment_id")}

        return await self._in_thread(read)

    async def disconnect(self) -> None:
        """Drop the connection; the next write opens another."""
        await self._in_thread(self._store.disconnect)

    async def close(self) -> None:
        await self.disconnect()
        self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _write(self, entries: Sequence[Entry]) -> Written:
        batch, refused = Batch(self._shard), []
        tally: Counter[str] = Counter()
        for entry in entries:
            try:
                tally.update(self._take_in(batch, entry))
            except BadRecord as error:
                refused.append((entry, str(error)))
        version = self._store.write(batch)
        process_counters.add_all(tally)
        return Written(version, list(batch.runs), list(batch.scheduled | batch.progressed), refused)

    def _take_in(self, batch: Batch, entry: Entry) -> Counter[str]:
        """What the entry adds to the counters (apps/engine/telemetry.py)."""
        if entry.fields is None:
            return Counter()
        try:
            if entry.stream == self._keys.events:
                batch.add_event(entry.id, parse_entry(entry.fields))
                return Counter()
            records = decode_records(entry.fields[b"d"])
            batch.add_records(records)
            return tally_records(records)
        except BadRecord:
            raise
        except (
            ValueError,
            KeyError,
            RecursionError,
        ) as error:  # msgspec's errors and UnicodeDecodeError are ValueErrors
            raise BadRecord(f"{type(error).__name__}: {error}") from error
