"""Synchronous code and the engine (apps/engine/bridge.py)."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from apps.engine import bridge
from apps.engine.bridge import engine_call
from apps.engine.engine import Engine
from apps.engine.flow.policy import FlowPolicy
from apps.engine.store.client import RedisUnavailable


@pytest.fixture(autouse=True)
def _redis(redis_url: str, settings: Settings) -> None:
    settings.REDIS_URL = redis_url
    settings.STEPWELL_SHARD = "0"


async def ping(engine: Engine) -> bytes:
    pong: bytes = await engine.client.execute("PING")
    return pong


def test_a_call_answers_and_raises() -> None:
    async def fail(engine: Engine) -> None:
        raise ValueError("no")

    assert engine_call(ping) == b"PONG"
    with pytest.raises(ValueError, match="no"):
        engine_call(fail)


def test_threads_share_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_threads", {})
    connected: list[Engine] = []
    connect = Engine.connect

    async def slowly(url: str, shard: str, policy: FlowPolicy) -> Engine:
        await asyncio.sleep(0.05)
        connected.append(await connect(url, shard, policy))
        return connected[-1]

    monkeypatch.setattr(Engine, "connect", slowly)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: engine_call(ping), range(8))) == [b"PONG"] * 8
    assert len(connected) == 1


def test_an_absent_server_is_said_so_and_found_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "_threads", {})
    url, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    for _ in range(2):
        with pytest.raises(RedisUnavailable):
            engine_call(ping)
    settings.REDIS_URL = url
    assert engine_call(ping) == b"PONG"


def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_TIMEOUT_SECONDS", 0.05)
    cancelled = threading.Event()

    async def never(engine: Engine) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    engine_call(ping)
    with pytest.raises(TimeoutError):
        engine_call(never)
    assert cancelled.wait(5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_process_gets_an_engine_of_its_own() -> None:
    """A forked child has no thread of its parent's: a call through it would never be answered."""
    assert engine_call(ping) == b"PONG"
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if engine_call(ping) == b"PONG" else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
