"""An engine that records what is published, and a client that registers as an SDK does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.engine import bridge
from apps.engine.functions import FunctionSpec
from apps.engine.store.client import RedisUnavailable

CaptureOnCommit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]


class RecordingEngine:
    """Stands in for the engine: `published` holds the live slugs and archived ids of each publication."""

    def __init__(self) -> None:
        self.published: list[tuple[list[str], list[str]]] = []
        self.specs: dict[str, FunctionSpec] = {}
        self.is_down = False

    async def publish_functions(self, specs: Sequence[FunctionSpec]) -> None:
        if self.is_down:
            raise RedisUnavailable("down")
        live = [spec.slug for spec in specs if not spec.archived]
        self.published.append((live, [spec.id for spec in specs if spec.archived]))
        self.specs |= {spec.slug: spec for spec in specs}

    async def restore_functions(self, specs: Sequence[FunctionSpec]) -> None:
        await self.publish_functions(specs)

    def call(self, action: Callable[["RecordingEngine"], Awaitable[object]]) -> object:
        async def run() -> object:
            return await action(self)

        return asyncio.run(run())


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> RecordingEngine:
    recording = RecordingEngine()
    monkeypatch.setattr(bridge, "engine_call", recording.call)
    return recording


class Register(Protocol):
    def __call__(self, body: bytes, **headers: str) -> HttpResponse: ...


@pytest.fixture
def register(
    db: None,
    engine: RecordingEngine,
    client: Client,
    django_capture_on_commit_callbacks: CaptureOnCommit,
) -> Register:
    """POST /fn/register, with what follows the commit; headers by name with underscores."""

    def call(body: bytes, **headers: str) -> HttpResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with django_capture_on_commit_callbacks(execute=True):
            response = client.post("/fn/register", body, content_type="application/json", headers=named)
        assert isinstance(response, HttpResponse)
        return response

    return call
