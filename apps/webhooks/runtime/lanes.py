"""A bounded queue that takes turns between tenants. Pure: no processes here.

Each tenant has a lane, and one for previews. The lanes of a tenant that has as many calls under way as it may
are passed over, so one whose scripts never end keeps neither the others' calls waiting for long nor all
workers to itself.
"""

import threading
from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

Job = TypeVar("Job")
_PREVIEW: Final = "preview:"


def preview_lane(tenant: str) -> str:
    """The lane of what a tenant's people try out, which waits apart from the tenant's deliveries."""
    return f"{_PREVIEW}{tenant}"


def _tenant_of(lane: str) -> str:
    return lane.removeprefix(_PREVIEW)


class QueueFull(Exception):
    """All lanes together hold as many as they may."""


class LaneFull(Exception):
    """This lane holds as many as it may; others may have room."""


class Lanes(Generic[Job]):
    """Safe to use from any thread."""

    def __init__(self, *, max_waiting: int, max_waiting_each: int, max_running_each: int) -> None:
        self._max_waiting = max_waiting
        self._max_waiting_each = max_waiting_each
        self._max_running_each = max_running_each
        self._changed = threading.Condition()
        self._lanes: OrderedDict[str, deque[Job]] = OrderedDict()
        self._running: dict[str, int] = {}
        self._waiting = 0
        self._is_closed = False

    def put(self, lane: str, job: Job) -> None:
        """Raises LaneFull, QueueFull."""
        with self._changed:
            jobs = self._lanes.get(lane)
            if jobs is not None and len(jobs) >= self._max_waiting_each:
                raise LaneFull
            if self._is_closed or self._waiting >= self._max_waiting:
                raise QueueFull
            self._lanes.setdefault(lane, deque()).append(job)
            self._waiting += 1
            self._changed.notify()

    def take(self) -> tuple[str, Job] | None:
        """The next job of the next lane whose turn it is, once there is one; None: closed.

        `done` must follow.
        """
        with self._changed:
            while not self._is_closed:
                lane = next((name for name in self._lanes if self._may_run(name)), None)
                if lane is not None:
                    return lane, self._start(lane)
                self._changed.wait()
        return None

    def done(self, lane: str) -> None:
        tenant = _tenant_of(lane)
        with self._changed:
            self._running[tenant] -= 1
            if not self._running[tenant]:
                del self._running[tenant]
            self._changed.notify()

    def close(self) -> list[Job]:
        """Wake all who wait in `take`; the jobs that nobody will take."""
        with self._changed:
            self._is_closed = True
            left = [job for jobs in self._lanes.values() for job in jobs]
            self._lanes.clear()
            self._waiting = 0
            self._changed.notify_all()
        return left

    def _may_run(self, lane: str) -> bool:
        return self._running.get(_tenant_of(lane), 0) < self._max_running_each

    def _start(self, lane: str) -> Job:
        jobs = self._lanes.pop(lane)
        job = jobs.popleft()
        if jobs:
            self._lanes[lane] = jobs  # behind the others
        self._waiting -= 1
        tenant = _tenant_of(lane)
        self._running[tenant] = self._running.get(tenant, 0) + 1
        return job
