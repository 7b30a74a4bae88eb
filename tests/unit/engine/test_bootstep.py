"""The engine's thread inside of a Celery worker."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from apps.engine import bootstep
from apps.engine.bootstep import EngineStep, EngineThread
from apps.engine.services import Service


class Waits:
    name = "waits"

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    async def run(self, stop: asyncio.Event) -> None:
        self.began.set()
        await stop.wait()
        self.ended.set()


def test_services_run_until_the_thread_is_stopped() -> None:
    service = Waits()

    async def factory() -> Sequence[Service]:
        return [service]

    engine = EngineThread(factory)
    engine.start()
    assert service.began.wait(5)
    assert not service.ended.is_set()
    engine.stop()
    assert service.ended.is_set()


def test_an_engine_that_cannot_start_tries_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bootstep, "_FACTORY_RETRY_SECONDS", 0.01)
    service = Waits()
    tries = 0

    async def factory() -> Sequence[Service]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise ConnectionError("no database")
        return [service]

    engine = EngineThread(factory)
    engine.start()
    assert service.began.wait(5)
    engine.stop()
    assert tries == 3
    assert caplog.text.count("the engine cannot start, trying again") == 2


def test_an_engine_that_never_starts_stops() -> None:
    failed = threading.Event()

    async def factory() -> Sequence[Service]:
        failed.set()
        raise ConnectionError("no database")

    engine = EngineThread(factory)
    engine.start()
    assert failed.wait(5)
    engine.stop()
    assert not engine.is_alive


def test_a_worker_without_roles_has_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EngineStep, "factory", None)
    step = EngineStep(object())
    assert not step.enabled
    step.start(object())
    step.stop(object())
