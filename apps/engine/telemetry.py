"""Counters of this process, on their way to the shard's own (telemetry_sender.py).

Counting costs a dictionary update. Every few seconds the sums move into one hash in Redis, where any web
process reads them for /metrics: what a process counted stays counted when it ends, so the totals only grow.
Names are `<counter>:<label>`, and labels come from small fixed sets, never from users.
"""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from apps.engine.records import AnyRecord, RunEnded, RunScheduled, RunStarted, StepRecorded

# Upper bounds of a call's duration in seconds; a call may take two hours.
CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_ENDED_STEPS = frozenset({"Completed", "Failed", "Errored", "TimedOut", "Cancelled"})


class Counters:
    """Safe from any thread: history is written in one of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: defaultdict[str, float] = defaultdict(float)

    def add(self, name: str, amount: float = 1) -> None:
        with self._lock:
            self._sums[name] += amount

    def add_all(self, amounts: Mapping[str, float]) -> None:
        with self._lock:
            for name, amount in amounts.items():
                self._sums[name] += amount

    def take(self) -> dict[str, float]:
        """What was counted since the last call."""
        with self._lock:
            taken, self._sums = self._sums, defaultdict(float)
        return dict(taken)


process_counters = Counters()


def count_events(accepted: int) -> None:
    """Events that a door of ours has stored."""
    process_counters.add("events:accepted", accepted)


def count_refusal(status: int) -> None:
    """A request of a sender or an SDK that was refused."""
    process_counters.add(f"refused:{status}")


def count_call(outcome: str, seconds: float) -> None:
    """A call to an app. `outcome` is `answered` or the kind of failure (calls/failures.py)."""
    process_counters.add_all(
        {
            f"calls:{outcome}": 1,
            f"call_seconds:{bisect_left(CALL_SECONDS, seconds)}": 1,
            "call_seconds:sum": seconds,
        }
    )


def tally_records(records: Sequence[AnyRecord]) -> Counter[str]:
    """What history records say of runs and steps, to be counted once they are stored."""
    return Counter(name for record in records if (name := _name_of(record)))


def _name_of(record: AnyRecord) -> str:
    match record:
        case StepRecorded(status=status):
            return f"steps:{status.lower()}" if status in _ENDED_STEPS else ""
        case RunScheduled(skip_reason=reason):
            return "runs:skipped" if reason else "runs:scheduled"
        case RunStarted():
            return "runs:started"
        case RunEnded(status=status):
            return f"runs:{status.lower()}"
        case _:
            return ""
