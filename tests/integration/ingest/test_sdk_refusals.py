"""Each request that the SDK endpoints refuse for a mistake leaves one entry, without its body and its key."""

from collections.abc import AsyncIterator

import httpx
import pytest

from apps.api.sdk_state import SdkStateApp
from apps.engine.engine import Engine
from apps.engine.store.client import RedisClient
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.refusals.refusal import UNKNOWN, Refusal
from tests.integration.ingest.conftest import SIGNING_KEY
from tests.integration.ingest.noting import ENV, body_id, noted

RUN = "01M8488PZN38TBQW5R170FD360"
CHECKPOINT = f"/v1/checkpoint/{RUN}/async"
SECRET = "s3cr3t-of-the-body"
BEARER = {"authorization": f"Bearer {SIGNING_KEY}"}
WRONG = {"authorization": "Bearer signkey-test-0123456789abcdef"}


async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("not for Django")


@pytest.fixture
def buffer() -> RefusalBuffer:
    return RefusalBuffer()


@pytest.fixture
async def sdk(
    server_options: IngestOptions, store: RedisClient, buffer: RefusalBuffer
) -> AsyncIterator[httpx.AsyncClient]:
    app = SdkStateApp(server_options, Engine(store, "t"), elsewhere, buffer)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stepwell") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "body", "status", "shown", "reason"),
    [
        (CHECKPOINT, SECRET.encode(), 400, "/v1/checkpoint/…/async", "invalid request body"),
        (
            f"/v1/http/runs/{RUN}/async",
            b'{"steps":[{"op":"%b","id":"x"}]}' % SECRET.encode(),
            400,
            "/v1/http/runs/…/async",
            "invalid request body",
        ),
        (CHECKPOINT, b"{}", 400, "/v1/checkpoint/…/async", "run not found in state store"),
        (
            CHECKPOINT,
            b" " * 2_000_001,
            413,
            "/v1/checkpoint/…/async",
            "Request body is over the max size: Max 2000000 bytes",
        ),
    ],
    ids=body_id,
)
async def test_a_bad_checkpoint_leaves_an_entry(
    sdk: httpx.AsyncClient,
    buffer: RefusalBuffer,
    path: str,
    body: bytes,
    status: int,
    shown: str,
    reason: str,
) -> None:
    assert (await sdk.post(path, content=body, headers=BEARER)).status_code == status
    entries = noted(buffer)
    assert entries == [(Refusal(ENV, "sdk", "POST", shown, status, reason), 1, "")]
    for hidden in (SECRET, "deadbeef", RUN):
        assert hidden not in str(entries)


@pytest.mark.parametrize("part", ["actions", "batch"])
async def test_a_bad_question_for_state_leaves_an_entry(
    sdk: httpx.AsyncClient, buffer: RefusalBuffer, part: str
) -> None:
    assert (await sdk.get(f"/v0/runs/{SECRET}/{part}", headers=BEARER)).status_code == 400
    entry = Refusal(ENV, "sdk", "GET", f"/v0/runs/…/{part}", 400, "The run ID specified is invalid")
    assert noted(buffer) == [(entry, 1, "")]


@pytest.mark.parametrize(("headers", "end"), [({}, ""), (WRONG, "cdef"), ({"authorization": "nonsense"}, "")])
async def test_a_wrong_key_leaves_an_entry(
    sdk: httpx.AsyncClient, buffer: RefusalBuffer, headers: dict[str, str], end: str
) -> None:
    for run in (RUN, "01M8488PZN38TBQW5R170FD361"):
        answer = await sdk.post(f"/v1/checkpoint/{run}/async", content=b"{}", headers=headers)
        assert answer.status_code == 401
    await sdk.get(f"/v0/runs/{RUN}/batch", headers=headers)
    entries = noted(buffer)
    assert entries == [
        (Refusal(UNKNOWN, "sdk", "POST", "/v1/checkpoint/…/async", 401, "Authentication failed"), 2, end),
        (Refusal(UNKNOWN, "sdk", "GET", "/v0/runs/…/batch", 401, "Authentication failed"), 1, end),
    ]
    assert "0123456789" not in str(entries)


async def test_a_run_that_went_on_is_nobodys_mistake(sdk: httpx.AsyncClient, buffer: RefusalBuffer) -> None:
    assert (await sdk.get(f"/v0/runs/{RUN}/actions", headers=BEARER)).status_code == 410
    assert noted(buffer) == []
