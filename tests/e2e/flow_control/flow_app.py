"""`FlowApp`: an app of the flow control suite, and what it and the server tell of it.

Times are milliseconds since the epoch; the app and the test share a clock.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

import httpx

from tests.e2e.app_process import AppProcess
from tests.e2e.harness import Json, Stepwell
from tests.e2e.waiting import wait_until

_OUTCOMES = "SELECT skipped FROM events_eventoutcome WHERE internal_id = ? ORDER BY key"
_TRACE = "query ($id: String!) { run(runID: $id) { status trace { skipReason skipExistingRunID } } }"


def now_ms() -> int:
    return int(time.time() * 1000)


class FlowApp:
    def __init__(self, stepwell: Stepwell, process: AppProcess, name: str) -> None:
        self.stepwell = stepwell
        self.process = process
        self.name = name

    def send(self, function: str, key: str, **data: Any) -> str:
        """One event for the function; its internal id."""
        return self.stepwell.send(f"{self.name}/{function}", {"key": key, **data})

    def send_many(self, function: str, key: str, entries: Iterable[Json]) -> list[str]:
        """Events in one request, each with what its entry says; their internal ids."""
        name = f"{self.name}/{function}"
        return self.stepwell.send_many([{"name": name, "data": {"key": key, **entry}} for entry in entries])

    def finish(self, events: Sequence[str], **options: Any) -> list[Json]:
        """The run of each event, once it has ended."""
        return [self.stepwell.wait_for_run(event, timeout=40, **options) for event in events]

    def wait_until_queued(self, event: str) -> str:
        """The id of the event's run, once history knows it; it must not have begun."""
        run = self.stepwell.wait_for_run(event, status="Scheduled", timeout=40)
        return str(run["run_id"])

    def release(self, key: str) -> None:
        """Let go the bodies that are held."""
        httpx.post(f"{self.process.base_url}/_release", params={"key": key}, timeout=10).raise_for_status()

    def calls(self, key: str, label: str = "work") -> list[Json]:
        """What the bodies of this key recorded, in order."""
        return [call for call in self.process.calls(key) if call["label"] == label]

    def numbers(self, key: str, label: str = "work") -> list[int]:
        return [call["n"] for call in self.calls(key, label)]

    def wait_for(self, key: str, label: str = "work", count: int = 1) -> None:
        """Until the body has begun that often."""
        self.process.wait_for_label(key, label, count=count, timeout=40)

    def most_in_flight(
        self, key: str, group: Callable[[Json], object] = lambda flight: None
    ) -> dict[object, int]:
        """For each group of the calls of this key, how many were under way at most at one moment."""
        under_way: dict[object, int] = {}
        most: dict[object, int] = {}
        for flight in self.flights(key):
            name = group(flight)
            under_way[name] = under_way.get(name, 0) + flight["change"]
            most[name] = max(most.get(name, 0), under_way[name])
        return most

    def flights(self, key: str) -> list[Json]:
        """The begin (`change` 1) and the end (-1) of each call request, in order."""
        found: list[Json] = httpx.get(f"{self.process.base_url}/_flights", timeout=10).json()
        return [flight for flight in found if flight["key"] == key]

    def reasons(self, event_id: str) -> list[str]:
        """Why the event started no run of its own in functions that it matched; waits until that is known."""
        return [reason for _, reason, _ in self.outcome(event_id)]

    def outcome(self, event_id: str) -> list[tuple[str, str, str]]:
        """[(function id, reason, detail)] of the event's outcome."""
        [file] = self.stepwell.server.data_files("*.sqlite3")

        def find() -> list[str]:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                return [row[0] for row in database.execute(_OUTCOMES, (event_id,))]

        rows = wait_until(find, 15, lambda: f"no outcome of {event_id}")
        return [tuple(skip) for row in rows for skip in json.loads(row)]

    def skip_of(self, run_id: str) -> tuple[str, str | None, str | None]:
        """Status, reason and holder of the lock of a run."""
        run = self.stepwell.gql(_TRACE, {"id": run_id})["run"]
        return run["status"], run["trace"]["skipReason"], run["trace"]["skipExistingRunID"]

    def log_tail(self, lines: int = 80) -> str:
        return self.process.log_tail(lines)
