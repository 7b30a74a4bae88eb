"""One platform, one app and one producer: load, disturb, wait until everything is quiet, judge."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import httpx
import redis

from tests.chaos import evidence
from tests.chaos.app import functions
from tests.chaos.app_process import AppProcess
from tests.chaos.checker import broken_promises
from tests.chaos.producer import Event, Producer
from tests.chaos.recovery import first_after, signs_of_life
from tests.chaos.server import Server
from tests.chaos.story import Story

QUIET_SECONDS = 120
_POLL_SECONDS = 0.25
_GO_AGAIN_SECONDS = 1.0
_REST_TOGETHER = 8

Disturbance = Callable[[], Awaitable[None]]
Check = Callable[[Story], Iterable[str]]


class World:
    """`losses` are the times at which Valkey was stopped in a way that may cost it its last moments,
    `strikes` the (role, time) of each signal, `quiet_after` the seconds that the last wait for quiet took."""

    def __init__(self, folder: Path, seed: int, environment: dict[str, str]) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.server = Server(folder, environment)
        self.losses: list[float] = []
        self.strikes: list[tuple[str, float]] = []
        self.quiet_after = 0.0
        try:
            self.app = AppProcess(folder)
        except BaseException:
            self.server.stop()
            raise
        self.app.register(self.server.base_url)
        self.producer = Producer(self.server.base_url, self.chance)

    def close(self) -> None:
        self.server.stop()
        self.app.stop()

    async def live_through(self, disturbance: Disturbance, *, requests: int, seconds: float) -> None:
        """Send load for `seconds` and disturb it meanwhile; then wait until all work is done."""
        plan = self.producer.plan(sorted(functions.STARTED_BY), requests)
        async with httpx.AsyncClient(timeout=10, verify=False) as client:
            matching = asyncio.create_task(self._match_waits(client))
            try:
                await asyncio.gather(self._load(client, plan, seconds), disturbance())
                began = time.monotonic()
                await self._quiet()
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
        story = self.story()
        problems = [problem for check in (broken_promises, *more) for problem in check(story)]
        problems += [*self._loose_ends(), *await self._rest_problems(story)]
        assert not problems, self._report(problems)

    async def kill(self, role: str) -> None:
        await self.strike(role, signal.SIGKILL)

    async def strike(self, role: str, number: signal.Signals) -> None:
        """Send a signal to the process of that role, as soon as there is one."""
        deadline = time.monotonic() + QUIET_SECONDS
        while not self.server.signal(role, number):
            assert time.monotonic() < deadline, self._report([f"no process of {role}"])
            await asyncio.sleep(_POLL_SECONDS)
        self.strikes.append((role, time.time()))

    def figures(self) -> str:
        """What happened, and how long after each strike the work that the role does went on, in seconds."""
        story = self.story()
        executions = Counter(
            (call.run, a.step) for call in story.calls if (a := story.answer(call)) and a.step
        )
        repeated = sum(count - 1 for count in executions.values())
        signs = signs_of_life(story)
        gaps = [f"{role} {first_after(signs[role], at):.1f}" for role, at in self.strikes]
        return (
            f"seed {self.seed}, {len(story.runs)} runs, {len(story.calls)} calls, {repeated} executions "
            f"repeated, quiet after {self.quiet_after:.1f} s, went on after: {', '.join(gaps) or '-'}"
        )

    async def _load(self, client: httpx.AsyncClient, plan: Sequence[list[Event]], seconds: float) -> None:
        """Requests begin at even distances, whatever becomes of those before them."""
        sending = []
        for events in plan:
            sending.append(asyncio.create_task(self.producer.send(client, events)))
            await asyncio.sleep(seconds / len(plan))
        await asyncio.gather(*sending)

    async def _match_waits(self, client: httpx.AsyncClient) -> None:
        """Send each waiting run its event, again and again: one sent before the wait is stored is in vain."""
        while True:
            self.app.journal.refresh()
            for n in self._waiting():
                await self.producer.send(client, [(functions.GO_EVENT, n)])
            await asyncio.sleep(_GO_AGAIN_SECONDS)

    def _waiting(self) -> list[int]:
        journal = self.app.journal
        waits = [call for call in journal.calls if call.function == "wait" and call.number in journal.answers]
        woken = {call.n for call in waits if "go" in call.memos}
        return sorted({call.n for call in waits if journal.answers[call.number].kind == "wait"} - woken)

    async def _quiet(self) -> None:
        """Wait until nothing is left to do. AssertionError with what is left at the deadline."""
        deadline = time.monotonic() + QUIET_SECONDS
        while loose := self._loose_ends():
            assert time.monotonic() < deadline, self._report([f"not quiet in {QUIET_SECONDS} s", *loose])
            await asyncio.sleep(_POLL_SECONDS)

    def _loose_ends(self) -> list[str]:
        """Events without an outcome, runs under way, and what else the queue still holds."""
        try:
            with redis.Redis.from_url(self.server.redis_url) as client:
                left = evidence.leftovers(client)
        except redis.ConnectionError as problem:
            return [f"Valkey: {problem}"]
        handled = evidence.events(self.server.database)
        left += [f"event {i} has no outcome" for i, is_handled in handled.items() if not is_handled]
        for event in list(self.producer.accepted):
            if event.id not in handled and not self._is_forgivable(event.at):
                left.append(f"event {event.id} ({event.name}) is not in history")
        return left

    def _is_forgivable(self, at: float) -> bool:
        return Story([], {}, [], [], self.losses).is_forgivable(at)

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
                return (
                    "" if sorted(told) == sorted(runs) else f"event {event_id}: REST tells {told}, not {runs}"
                )

            problems = await asyncio.gather(*(compare(*item) for item in expected.items()))
        return [problem for problem in problems if problem]

    def _report(self, problems: Sequence[str]) -> str:
        shown = "\n".join(problems[:40])
        return f"seed {self.seed}, {len(problems)} problems:\n{shown}\n\nServer:\n{self.server.log_tail()}"
