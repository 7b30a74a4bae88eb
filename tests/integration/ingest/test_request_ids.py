"""Requests on the thin paths have ids: in the answer and in log lines, as those of Django have."""

import logging
from collections.abc import Iterator

import httpx
import pytest

from apps.api.sdk_state import SdkStateApp
from apps.engine import log_context
from apps.engine.engine import Engine
from apps.engine.protocol.ids import is_ulid
from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from tests.conftest import free_port
from tests.integration.ingest.conftest import Connect


class Noted(logging.Handler):
    """The request id that each line had."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.ids.append(log_context.current().get("request_id", ""))


@pytest.fixture
def noted() -> Iterator[Noted]:
    handler, logger = Noted(), logging.getLogger("apps.ingest.app")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


async def test_each_answer_has_an_id_of_its_own(dev: httpx.AsyncClient) -> None:
    answers = [await dev.post("/e/key", json={"name": "a"}) for _ in range(2)]
    answers.append(await dev.get("/e/key"))
    answers.append(await dev.post("/invoke/app-fn", json={"data": {}}))
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(ids)) == 4
    assert all(is_ulid(one.partition("-")[0]) for one in ids)


@pytest.mark.parametrize(
    ("given", "is_kept"), [("from-proxy.1:2_3", True), ("x" * 41, False), ("a b", False), ("é", False)]
)
async def test_a_proxys_id_is_kept_where_it_is_a_good_one(
    dev: httpx.AsyncClient, given: str, is_kept: bool
) -> None:
    headers = {b"x-request-id": given.encode("latin-1")}
    answer = await dev.post("/e/key", json={"name": "a"}, headers=headers)
    assert (answer.headers["x-request-id"] == given) is is_kept


async def test_log_lines_have_it(options: IngestOptions, connect: Connect, noted: Noted) -> None:
    away = connect(IngestApp(options, RedisClient(f"redis://127.0.0.1:{free_port()}/0")))
    answer = await away.post("/e/key", json={"name": "a"})
    assert answer.status_code == 503
    assert noted.ids == [answer.headers["x-request-id"]]


async def test_checkpoints_and_run_state_have_one(options: IngestOptions, store: RedisClient) -> None:
    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError

    app = SdkStateApp(options, Engine(store, "t"), elsewhere)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stepwell") as client:
        state = await client.get("/v0/runs/x/actions", headers={"x-request-id": "mine"})
        saved = await client.post("/v1/checkpoint/x/async", json={})
    assert state.headers["x-request-id"] == "mine"
    assert is_ulid(saved.headers["x-request-id"].partition("-")[0])
