"""Celery's control commands over a worker's engine."""

import asyncio
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
import redis
from pytest_django.fixtures import Settings

from apps.engine import celery_control
from apps.engine.bootstep import ENGINE_ATTRIBUTE, EngineThread
from apps.engine.engine import Engine
from apps.engine.functions import FunctionSpec
from apps.engine.store.requests import RerunRequest
from config.roles import services

SPEC = FunctionSpec("f1", "app-f1", "f1", "a1", "app", "env", "acc", 1, "http://127.0.0.1:1/api?fnId=app-f1")


@pytest.fixture
def state(redis_url: str, settings: Settings) -> Iterator[SimpleNamespace]:
    settings.REDIS_URL = redis_url
    settings.STEPWELL_ROLES = ("worker",)
    settings.STEPWELL_RETRY_INTERVAL_SECONDS = 3600
    engine = EngineThread(services)
    engine.start()
    yield SimpleNamespace(consumer=SimpleNamespace(controller=SimpleNamespace(**{ENGINE_ATTRIBUTE: engine})))
    engine.stop()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start_run(url: str) -> str:
    async def run() -> str:
        engine = await Engine.connect(url, "0")
        await engine.publish_functions([SPEC])
        request = RerunRequest("env", "f1", [b'{"data":{}}'], ["01E"], ["e"], "")
        run_id = await engine.rerun(request)
        await engine.close()
        return run_id

    return asyncio.run(run())


def test_draining_leaves_items_to_others(
    state: SimpleNamespace, redis_url: str, redis_client: "redis.Redis"
) -> None:
    until(lambda: celery_control._executors(state))
    assert celery_control.stepwell_drain(state) == {"ok": "draining"}
    until(lambda: celery_control.stepwell_leases(state)["draining"])
    run_id = start_run(redis_url)
    assert celery_control.stepwell_leases(state) == {"draining": True, "leases": []}
    assert redis_client.zcard("{q:0}:r:f:f1") == 1
    assert celery_control.stepwell_resume(state) == {"ok": "leasing"}
    until(lambda: redis_client.zcard("{q:0}:timers") == 1)  # the app is not there: the attempt failed
    assert redis_client.hget(f"{{q:0}}:run:{run_id}", "st") is not None


def test_a_worker_without_an_executor_says_so() -> None:
    state = SimpleNamespace(consumer=SimpleNamespace(controller=SimpleNamespace()))
    assert celery_control.stepwell_drain(state) == {"error": "this worker runs no executor"}
    assert celery_control.stepwell_leases(state) == {"draining": False, "leases": []}
