"""The endpoints that SDKs call in the middle of a run, over ASGI (spec 01, 6.6 and 14.1)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import msgspec
import pytest

from apps.api.sdk_state import SdkStateApp
from apps.engine.engine import Engine
from apps.engine.protocol.ids import new_ulid
from apps.engine.protocol.requests import encode_qi_id
from apps.engine.store.client import RedisClient
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from apps.tenancy.models import DEV_ENVIRONMENT_ID
from tests.integration.engine.engine_world import EngineWorld, function

ENV = str(DEV_ENVIRONMENT_ID)
A = "a" * 40
KEY_TEXT = "0123456789abcdef0123456789abcdef"
SIGNING_KEY = f"signkey-test-{KEY_TEXT}"
HASHED_KEY = f"signkey-test-{hashlib.sha256(bytes.fromhex(KEY_TEXT)).hexdigest()}"


async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"django"})


def app(world: EngineWorld, mode: str = "dev") -> SdkStateApp:
    options = IngestOptions("dev", "", "0", max_event_bytes=1_000, max_body_bytes=10_000)
    if mode == "server":
        options = replace(options, mode="server", signing_keys=(SIGNING_KEY,), event_keys=("event-key",))
    return SdkStateApp(options, world.engine, elsewhere)


@pytest.fixture
async def web(engine_world: EngineWorld) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(engine_world))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client


@pytest.fixture
async def server(engine_world: EngineWorld) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(engine_world, "server"))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client


@pytest.fixture
async def run_id(engine_world: EngineWorld) -> str:
    await engine_world.publish(function("fn", "app/go", env_id=ENV))
    await engine_world.send("app/go", {"n": 1}, env=ENV, event_id="e-1")
    (handled,) = await engine_world.handle()
    return handled.run_ids[0]


def body(*steps: object, **members: object) -> bytes:
    found = steps or ({"op": "StepRun", "id": A, "data": {"v": 1}},)
    return msgspec.json.encode({"steps": found, **members})


def envelope(status: int, error: str, run_id: str | None) -> dict[str, object]:
    return {"error": error, "data": {"run_id": run_id} if run_id else None, "status": status}


@pytest.mark.parametrize("path", ["/v1/checkpoint/{}/async", "/v1/http/runs/{}/async"])
async def test_a_checkpoint_is_answered_without_a_body(
    engine_world: EngineWorld, web: httpx.AsyncClient, run_id: str, path: str
) -> None:
    for _ in range(2):
        answer = await web.post(path.format(run_id), content=body())
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-inngest-server-kind"] == "dev"
    assert await engine_world.memos(run_id) == {A: b'{"data":{"v":1}}'}


async def test_each_refusal_of_a_checkpoint(
    engine_world: EngineWorld, web: httpx.AsyncClient, run_id: str
) -> None:
    async def refused(content: bytes, run: str = run_id) -> dict[str, object]:
        answer = await web.post(f"/v1/checkpoint/{run}/async", content=content)
        found: dict[str, object] = answer.json()
        assert found["status"] == answer.status_code
        return found

    unknown = new_ulid(engine_world.now)
    item = encode_qi_id("999", "0")
    assert await refused(body(), unknown) == envelope(400, "run not found in state store", unknown)
    assert await refused(body(), "odd") == envelope(400, "run not found in state store", "odd")
    assert await refused(body(qi_id=item), unknown) == envelope(409, "run not found in state store", unknown)
    assert await refused(body(qi_id=item)) == envelope(400, "queue item not found", run_id)
    assert await refused(body(qi_id=item, generation_id=1)) == envelope(
        409, "this dispatch has been superseded", run_id
    )
    sleep = {"op": "Sleep", "id": A, "name": "1s"}
    assert await refused(body(sleep)) == envelope(400, "cannot checkpoint async steps", run_id)
    end = {"op": "RunComplete", "id": A}
    assert await refused(body(end)) == envelope(400, "cannot checkpoint opcode: RunComplete", run_id)
    malformed = await refused(b"nonsense")
    assert (malformed["status"], malformed["data"]) == (400, None)
    assert str(malformed["error"]).startswith("invalid request body: ")
    too_large = await refused(b" " * 10_001)
    assert (too_large["status"], too_large["data"]) == (413, None)


async def test_the_state_of_a_run(engine_world: EngineWorld, web: httpx.AsyncClient, run_id: str) -> None:
    assert (await web.get(f"/v0/runs/{run_id}/actions")).json() == {}
    await web.post(f"/v1/checkpoint/{run_id}/async", content=body())
    answer = await web.get(f"/v0/runs/{run_id}/actions")
    assert (answer.status_code, answer.json()) == (200, {A: {"data": {"v": 1}}})
    (event,) = (await web.get(f"/v0/runs/{run_id}/batch")).json()
    assert event == {"data": {"n": 1}, "id": "e-1", "name": "app/go", "ts": engine_world.now, "user": {}}


async def test_the_state_of_no_run(engine_world: EngineWorld, web: httpx.AsyncClient, run_id: str) -> None:
    await engine_world.engine.cancel_run(ENV, run_id, "test")
    for part in ("actions", "batch"):
        gone = await web.get(f"/v0/runs/{run_id}/{part}")
        message = f"runtime state is no longer available for runID: {run_id}"
        assert (gone.status_code, gone.json()) == (410, envelope(410, message, None))
        odd = await web.get(f"/v0/runs/odd/{part}")
        assert (odd.status_code, odd.json()) == (
            400,
            envelope(400, "The run ID specified is invalid", None),
        )


async def test_a_run_of_another_environment_is_not_shown(
    engine_world: EngineWorld, web: httpx.AsyncClient
) -> None:
    await engine_world.publish(function("fn", "app/go"))
    await engine_world.send("app/go")
    (handled,) = await engine_world.handle()
    (other,) = handled.run_ids
    assert (await web.get(f"/v0/runs/{other}/actions")).status_code == 410
    assert (await web.get(f"/v0/runs/{other}/batch")).status_code == 410
    assert (await web.post(f"/v1/checkpoint/{other}/async", content=body())).status_code == 400
    assert await engine_world.memos(other) == {}


@pytest.mark.parametrize("token", [None, "Bearer ", "Bearer undefined", "Bearer signkey-test-00", "nonsense"])
async def test_server_mode_asks_for_a_key(
    engine_world: EngineWorld, server: httpx.AsyncClient, run_id: str, token: str | None
) -> None:
    headers = {"authorization": token} if token is not None else {}
    for answer in (
        await server.post(f"/v1/checkpoint/{run_id}/async", content=body(), headers=headers),
        await server.get(f"/v0/runs/{run_id}/actions", headers=headers),
        await server.get(f"/v0/runs/{run_id}/batch", headers=headers),
    ):
        assert (answer.status_code, answer.json()) == (401, envelope(401, "Authentication failed", None))
    assert await engine_world.memos(run_id) == {}


@pytest.mark.parametrize("key", [SIGNING_KEY, HASHED_KEY])
async def test_server_mode_takes_the_key_and_its_hash(
    engine_world: EngineWorld, server: httpx.AsyncClient, run_id: str, key: str
) -> None:
    headers = {"authorization": f"Bearer {key}"}
    saved = await server.post(f"/v1/checkpoint/{run_id}/async", content=body(), headers=headers)
    assert (saved.status_code, saved.headers["x-inngest-server-kind"]) == (200, "cloud")
    shown = await server.get(f"/v0/runs/{run_id}/actions", headers=headers)
    assert shown.json() == {A: {"data": {"v": 1}}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/checkpoint/{}/async"),
        ("POST", "/v0/runs/{}/actions"),
        ("DELETE", "/v0/runs/{}"),
        ("GET", "/v0/runs/{}/jobs"),
        ("POST", "/v1/checkpoint/{}/async/more"),
        ("POST", "/v1/checkpoint/{}/steps"),
    ],
)
async def test_other_requests_go_on_to_django(
    web: httpx.AsyncClient, run_id: str, method: str, path: str
) -> None:
    assert (await web.request(method, path.format(run_id))).text == "django"


async def test_a_client_that_leaves_does_not_stop_a_checkpoint(
    engine_world: EngineWorld, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gives the request up while the store is being asked."""
    world = engine_world
    asked, go_on = asyncio.Event(), asyncio.Event()
    checkpoint = world.queue.checkpoint

    async def slowly(*args: object) -> str:
        asked.set()
        await go_on.wait()
        return await checkpoint(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(world.queue, "checkpoint", slowly)
    scope: Scope = {"type": "http", "method": "POST", "path": f"/v1/checkpoint/{run_id}/async", "headers": []}
    messages = [{"type": "http.request", "body": body(), "more_body": False}]

    async def receive() -> dict[str, object]:
        return messages.pop()

    async def send(message: object) -> None:
        raise AssertionError("nobody listens")

    request = asyncio.ensure_future(app(world)(scope, receive, send))
    await asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go_on.set()
    async with asyncio.timeout(5):
        while await world.memos(run_id) == {}:
            await asyncio.sleep(0.01)


async def test_an_absent_store_is_said_so(engine_world: EngineWorld) -> None:
    engine = Engine(RedisClient("redis://127.0.0.1:1/0"), "0")
    options = IngestOptions("dev", "", "0", max_event_bytes=1_000, max_body_bytes=10_000)
    transport = httpx.ASGITransport(SdkStateApp(options, engine, elsewhere))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        run = new_ulid(engine_world.now)
        for answer in (
            await client.post(f"/v1/checkpoint/{run}/async", content=body()),
            await client.get(f"/v0/runs/{run}/actions"),
        ):
            assert (answer.status_code, answer.json()["status"]) == (503, 503)
