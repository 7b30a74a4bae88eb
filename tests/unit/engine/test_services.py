"""Services and their chores outlive whatever goes wrong in them."""

import asyncio
import logging

import pytest

from apps.engine import services
from apps.engine.services import repeat, run_services, unless_stopped, wait_for
from apps.engine.store.client import RedisUnavailable


@pytest.mark.parametrize("error", [ValueError("bug"), RedisUnavailable("gone")])
async def test_a_chore_goes_on_after_a_failure(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    calls = 0

    async def chore() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            stop.set()
        raise error

    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(repeat(stop, 0.001, chore), 5)
    assert calls == 3
    assert len(caplog.records) == 3


async def test_a_failing_service_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_RESTART_SECONDS", (0.001,))
    stop = asyncio.Event()
    starts: list[str] = []

    class Flaky:
        name = "flaky"

        async def run(self, stop: asyncio.Event) -> None:
            starts.append("start")
            if len(starts) == 1:
                raise RedisUnavailable("gone")
            if len(starts) == 2:
                raise ValueError("bug")
            stop.set()

    await asyncio.wait_for(run_services([Flaky()], stop), 5)
    assert len(starts) == 3


async def test_a_restart_after_a_long_good_time_is_quick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def noted(stop: asyncio.Event, seconds: float) -> bool:
        waits.append(seconds)
        return stop.is_set()

    monkeypatch.setattr(services, "wait_for", noted)
    monkeypatch.setattr(services, "_STEADY_SECONDS", 0.02)
    stop = asyncio.Event()
    lives = iter([0.0, 0.0, 0.05])

    class Flaky:
        name = "flaky"

        async def run(self, stop: asyncio.Event) -> None:
            life = next(lives, None)
            if life is None:
                stop.set()
                return
            await asyncio.sleep(life)
            raise RedisUnavailable("gone")

    await asyncio.wait_for(run_services([Flaky()], stop), 5)
    assert waits[:3] == [0.2, 0.5, 0.2]


async def test_waiting_tells_whether_it_was_stopped() -> None:
    stop = asyncio.Event()
    assert await wait_for(stop, 0.001) is False
    stop.set()
    assert await wait_for(stop, 10) is True


async def test_a_blocking_read_is_given_up_on_stop() -> None:
    stop = asyncio.Event()
    never: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, stop.set)
    assert await asyncio.wait_for(unless_stopped(stop, never), 5) is None
    assert never.cancelled()


async def test_a_blocking_read_answers_and_raises() -> None:
    stop = asyncio.Event()
    answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    answered.set_result(7)
    assert await unless_stopped(stop, answered) == 7
    failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    failed.set_exception(RedisUnavailable("gone"))
    with pytest.raises(RedisUnavailable):
        await unless_stopped(stop, failed)
