import json

import httpx
import pytest
import redis

from apps.engine.event_stream import EventContext
from apps.engine.protocol.signing import hash_signing_key
from apps.engine.store.client import RedisClient
from apps.ingest.app import STORE_DOWN, IngestApp
from apps.ingest.options import IngestOptions
from tests.conftest import free_port
from tests.integration.ingest.conftest import SIGNING_KEY, Connect
from tests.integration.ingest.streams import STREAM, stored


async def test_an_invocation_is_an_event_for_one_function(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    answer = await dev.post("/invoke/my-app-fn", json={"data": {"a": 1, "_inngest": {"fn_id": "x"}}})
    (entry,) = stored(redis_client)
    assert answer.status_code == 200
    assert answer.json() == {"id": entry.internal_id, "status": 200}
    assert entry.name == "inngest/function.invoked"
    assert entry.context == EventContext(function_id="my-app-fn", source="invoke")
    assert entry.sender == ""
    event = json.loads(entry.body)
    assert event["id"] == entry.internal_id
    assert event["data"] == {"a": 1, "_inngest": {"fn_id": "my-app-fn"}}


async def test_slugs_are_decoded(dev: httpx.AsyncClient, redis_client: redis.Redis) -> None:
    await dev.post("/invoke/my%20app%2Ff%C3%A9", json={})
    assert stored(redis_client)[0].context.function_id == "my app/fé"


async def test_the_seed_counts_from_zero_and_the_id_is_remembered(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    headers = {"x-inngest-event-id-seed": "1795438400700,HcP7tNnaYWED8Q=="}
    answer = await dev.post("/invoke/app-fn", json={}, headers=headers)
    assert answer.json() == {"id": "01M847FN5W3Q1ZQD6SV9GP20ZH", "status": 200}
    assert stored(redis_client)[0].context.remember is True


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"data":[]}', b'{"id":5}'])
async def test_a_body_that_is_no_event(
    dev: httpx.AsyncClient, redis_client: redis.Redis, body: bytes
) -> None:
    answer = await dev.post("/invoke/app-fn", content=body)
    assert answer.status_code == 400
    assert answer.content == b'{"error":"Invalid invocation event","data":null,"status":400}\n'
    assert not redis_client.exists(STREAM)


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/invoke/", b"{}", "Function slug is required"),
        ("/invoke/app-fn", b'{"ts":1}', "timestamp is before Jan 1, 1980"),
    ],
)
async def test_other_refusals(dev: httpx.AsyncClient, path: str, body: bytes, error: str) -> None:
    answer = await dev.post(path, content=body)
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "data": None, "status": 400}


@pytest.mark.parametrize("token", [SIGNING_KEY, "deadbeef", hash_signing_key(SIGNING_KEY), "key-2"])
async def test_server_mode_takes_signing_and_event_keys(
    server: httpx.AsyncClient, redis_client: redis.Redis, token: str
) -> None:
    answer = await server.post("/invoke/app-fn", json={}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert redis_client.xlen(STREAM) == 1


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nothing", "Basic key-2", "key-2"])
async def test_server_mode_refuses_others(
    server: httpx.AsyncClient, redis_client: redis.Redis, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await server.post("/invoke/app-fn", json={}, headers=headers)
    assert (answer.status_code, answer.text) == (401, "Authentication failed\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert not redis_client.exists(STREAM)


async def test_without_redis_nothing_is_acknowledged(options: IngestOptions, connect: Connect) -> None:
    client = connect(IngestApp(options, RedisClient(f"redis://127.0.0.1:{free_port()}/0")))
    answer = await client.post("/invoke/app-fn", json={})
    assert answer.status_code == 503
    assert answer.json() == {"error": STORE_DOWN, "data": None, "status": 503}
