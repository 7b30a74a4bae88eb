"""One platform, one app and one producer: load, disturb, wait until everything is quiet, judge."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import httpx

from tests.chaos import evidence, recovery
from tests.chaos.app import functions
from tests.chaos.app_process import AppProcess
from tests.chaos.checker import broken_promises
from tests.chaos.producer import Producer
from tests.chaos.recovery import Strike
from tests.chaos.server import Server
from tests.chaos.story import Story

QUIET_SECONDS = 120
_POLL_SECONDS = 0.25
_GO_AGAIN_SECONDS = 1.0
_REQUEST_SECONDS = 0.07
# On a slow machine a disturbance lasts longer: these are enough load, but processes must be seen to work.
_MANY_REQUESTS = 250
_REQUEST_SECONDS_THEN = 1.0
_LONGEST_WORK_SECONDS = 1.0
_REST_TOGETHER = 8

Disturbance = Callable[[], Awaitable[None]]
Check = Callable[[Story], Iterable[str]]


class World:
    """`losses` are the times at which Valkey was stopped in a way that may cost it its last moments,
    `strikes` the signals sent, `quiet_after` the seconds that the last wait for quiet took."""

    def __init__(self, folder: Path, seed: int, environment: dict[str, str]) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.server = Server(folder, environment)
        self.losses: list[float] = []
        self.strikes: list[Strike] = []
        self.quiet_after = 0.0
        try:
            self.app = AppProcess(folder)
        except BaseException:
            self.server.stop()
            raise
        self.app.register(self.server.base_url)
        self.producer = Producer(self.server.base_url, self.chance)

    def close(self) -> None:
        """AssertionError where a process outlives the platform."""
        self.server.stop()
        self.app.stop()
        assert self.server.processes() == [], self._report(["orphans", *self.server.processes()])

    async def live_through(self, disturbance: Disturbance, *, seconds: float = 5) -> None:
        """Send load for `seconds`, or as long as the disturbance lasts; then wait until all work is done."""
        async with httpx.AsyncClient(timeout=10, verify=False) as client:
            matching = asyncio.create_task(self._match_waits(client))
            try:
                disturbing = asyncio.gather(disturbance(), asyncio.sleep(seconds))
                await self._load(client, disturbing)
                began = time.monotonic()
                await self._quiet(matching)
                self.quiet_after = time.monotonic() - began
            finally:
                matching.cancel()

    def story(self) -> Story:
        self.app.journal.refresh()
        journal = self.app.journal
        runs = evidence.runs(self.server.database)
        return Story(journal.calls, journal.answers, self.producer.accepted, runs, self.losses)

    async def judge(self, *more: Check) -> None:
        """Every invariant, on all that this world has seen. AssertionError with the broken promises."""
        await self._quiet()
        story = self.story()
        problems = [problem for check in (broken_promises, *more) for problem in check(story)]
        problems += [*self._loose_ends(), *await self._rest_problems(story)]
        assert not problems, self._report(problems)

    async def strike(self, *roles: str, number: signal.Signals = signal.SIGKILL) -> None:
        """End the processes of the roles at one moment, a random one after all have been seen to work
        since they were struck last."""
        await self.until_working(*roles)
        await asyncio.sleep(self.chance.uniform(0, _LONGEST_WORK_SECONDS))
        for role in roles:
            await self._until(partial(self.server.send, role, number), f"no process of {role}")
            self.strikes.append(Strike(role, time.time()))

    async def until_working(self, *roles: str) -> None:
        """Wait until all have been seen to work since they were struck last."""
        for role in roles:
            last = max((strike.at for strike in self.strikes if strike.role == role), default=0.0)
            await self._until(partial(self._has_worked, role, last), f"{role} does not work")

    def figures(self) -> str:
        told = recovery.summary(self.story(), self.server.database, self.strikes)
        return f"seed {self.seed}, {told}, quiet after {self.quiet_after:.1f} s"

    def _has_worked(self, role: str, since: float) -> bool:
        return any(at > since for at in recovery.signs_of_life(self.story(), self.server.database)[role])

    async def _until(self, is_so: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + QUIET_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, self._report([complaint])
            await asyncio.sleep(_POLL_SECONDS)

    async def _load(self, client: httpx.AsyncClient, disturbing: asyncio.Future[tuple[None, None]]) -> None:
        """Requests begin at even distances, whatever becomes of those before them; many, and then few."""
        names = sorted(functions.STARTED_BY)
        sending: list[asyncio.Task[None]] = []
        while not disturbing.done():
            sending.append(asyncio.create_task(self.producer.send(client, self.producer.plan(names))))
            is_much = len(sending) >= _MANY_REQUESTS
            await asyncio.sleep(_REQUEST_SECONDS_THEN if is_much else _REQUEST_SECONDS)
        await asyncio.gather(disturbing, *sending)

    async def _match_waits(self, client: httpx.AsyncClient) -> None:
        """Send each waiting run its event, again and again: it comes in vain while Valkey is away."""
        while True:
            for n in self._waiting():
                await self.producer.send(client, [(functions.GO_EVENT, n)])
            await asyncio.sleep(_GO_AGAIN_SECONDS)

    def _waiting(self) -> list[int]:
        try:
            with evidence.open_queue(self.server.redis_url) as queue:
                runs = evidence.waiting_runs(queue)
        except evidence.AWAY:
            return []
        self.app.journal.refresh()
        return sorted({call.n for call in self.app.journal.calls if call.run in runs})

    async def _quiet(self, matching: asyncio.Task[None] | None = None) -> None:
        """Wait until nothing is left to do. AssertionError with what is left at the deadline."""
        deadline = time.monotonic() + QUIET_SECONDS
        while loose := self._loose_ends():
            assert time.monotonic() < deadline, self._report([f"not quiet in {QUIET_SECONDS} s", *loose])
            if matching is not None and matching.done():
                matching.result()
            await asyncio.sleep(_POLL_SECONDS)

    def _loose_ends(self) -> list[str]:
        """Events without an outcome, runs under way, and what else the queue still holds."""
        try:
            with evidence.open_queue(self.server.redis_url) as queue:
                left = evidence.leftovers(queue)
        except evidence.AWAY as problem:
            return [f"Valkey: {problem}"]
        known = evidence.events(self.server.database)
        left += [f"event {e.id} has no outcome" for e in known if not e.has_outcome and self._is_sure(e.at)]
        ids = {event.id for event in known}
        missing = [e for e in self.producer.accepted if e.id not in ids and self._is_sure(e.at)]
        return left + [f"event {event.id} ({event.name}) is not in history" for event in missing]

    def _is_sure(self, at: float) -> bool:
        """Whether what was acknowledged at that time must have survived."""
        return not Story([], {}, [], [], self.losses).is_forgivable(at)

    async def _rest_problems(self, story: Story) -> list[str]:
        """GET /v1/events/{id}/runs tells of each event what history has."""
        expected: dict[str, list[tuple[str, str]]] = {event.id: [] for event in story.accepted}
        for run in story.runs:
            if run.event in expected:
                expected[run.event].append((run.id, run.status))
        limit = asyncio.Semaphore(_REST_TOGETHER)
        async with httpx.AsyncClient(base_url=self.server.base_url, timeout=30, verify=False) as client:

            async def compare(event_id: str, runs: list[tuple[str, str]]) -> str:
                async with limit:
                    told = await evidence.event_runs(client, event_id)
                is_same = sorted(told) == sorted(runs)
                return "" if is_same else f"event {event_id}: REST tells {told}, not {runs}"

            problems = await asyncio.gather(*(compare(*item) for item in expected.items()))
        return [problem for problem in problems if problem]

    def _report(self, problems: Sequence[str]) -> str:
        shown = "\n".join(problems[:40])
        return f"seed {self.seed}, {len(problems)} problems:\n{shown}\n\nServer:\n{self.server.log_tail()}"
