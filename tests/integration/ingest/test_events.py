import json
from dataclasses import replace

import httpx
import pytest
import redis

from apps.engine.event_stream import EventContext
from apps.engine.protocol.ids import is_ulid
from apps.engine.store.client import RedisClient
from apps.ingest.app import STORE_DOWN, IngestApp
from apps.ingest.options import IngestOptions
from tests.conftest import free_port
from tests.integration.ingest.conftest import Connect
from tests.integration.ingest.streams import STREAM, stored

SEED = {"x-inngest-event-id-seed": "1795438400700,HcP7tNnaYWED8Q=="}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_event_is_in_the_stream_when_it_is_answered(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    answer = await dev.post("/e/any", json={"name": "app/x", "data": {"n": 1}, "ts": 1_795_438_229_081})
    (entry,) = stored(redis_client)
    assert answer.status_code == 200
    assert answer.json() == {"ids": [entry.internal_id], "status": 200}
    assert is_ulid(entry.internal_id)
    assert entry.env_id == "00000000-0000-4000-b000-000000000000"
    assert entry.account_id == "00000000-0000-4000-a000-000000000000"
    assert entry.name == "app/x"
    assert entry.body == (
        b'{"data":{"n":1},"id":"%b","name":"app/x","ts":1795438229081,"user":{}}' % entry.internal_id.encode()
    )
    assert entry.context == EventContext()


async def test_headers_of_an_answer(dev: httpx.AsyncClient, server: httpx.AsyncClient) -> None:
    answer = await dev.post("/e/any", json={"name": "a"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-inngest-server-kind"] == "dev"
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in answer.headers
    assert (await server.post("/e/key-1", json={"name": "a"})).headers["x-inngest-server-kind"] == "cloud"


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "text/plain", "application/x-www-form-urlencoded"]
)
async def test_content_types_do_not_matter(
    dev: httpx.AsyncClient, redis_client: redis.Redis, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await dev.post("/e/any", content=b'{"name":"a"}', headers=headers)
    assert answer.status_code == 200
    assert [entry.name for entry in stored(redis_client)] == ["a"]


async def test_a_batch_keeps_its_order(dev: httpx.AsyncClient, redis_client: redis.Redis) -> None:
    answer = await dev.post("/e/any", json=[{"name": f"e{number}"} for number in range(300)])
    entries = stored(redis_client)
    assert [entry.name for entry in entries] == [f"e{number}" for number in range(300)]
    assert answer.json()["ids"] == [entry.internal_id for entry in entries]
    assert answer.json()["ids"] == sorted(answer.json()["ids"])


async def test_a_seed_fixes_the_ids_and_duplicates_are_stored(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    events = [{"name": "a"}, {"name": "b"}]
    answers = [await dev.post("/e/any", json=events, headers=SEED) for _ in range(2)]
    ids = ["01M847FN5W3Q1ZQD6SV9GP20ZJ", "01M847FN5W3Q1ZQD6SV9GP20ZK"]
    assert [answer.json()["ids"] for answer in answers] == [ids, ids]
    assert [entry.internal_id for entry in stored(redis_client)] == ids + ids
    assert all(entry.context == EventContext(remember=True) for entry in stored(redis_client))


async def test_a_malformed_seed_is_ignored(dev: httpx.AsyncClient, redis_client: redis.Redis) -> None:
    answer = await dev.post("/e/any", json={"name": "a"}, headers={"x-inngest-event-id-seed": "1,nonsense"})
    assert answer.status_code == 200
    assert stored(redis_client)[0].context == EventContext()


async def test_own_ids_are_remembered_and_do_not_replace_internal_ones(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    answer = await dev.post("/e/any", json=[{"name": "a", "id": "order-1"}, {"name": "b"}])
    first, second = stored(redis_client)
    assert is_ulid(answer.json()["ids"][0])
    assert json.loads(first.body)["id"] == "order-1"
    assert (first.context.remember, second.context.remember) == (True, False)


@pytest.mark.parametrize(("header", "stored_value"), [(TRACE, TRACE), ("00-xyz", ""), (TRACE + "0", "")])
async def test_the_trace_context_is_kept(
    dev: httpx.AsyncClient, redis_client: redis.Redis, header: str, stored_value: str
) -> None:
    await dev.post("/e/any", json={"name": "a"}, headers={"traceparent": header})
    assert stored(redis_client)[0].context.trace_parent == stored_value


@pytest.mark.parametrize("body", [b"", b"[]", b"  "])
async def test_no_events_are_no_error(dev: httpx.AsyncClient, redis_client: redis.Redis, body: bytes) -> None:
    answer = await dev.post("/e/any", content=body)
    assert (answer.status_code, answer.content) == (200, b'{"ids":[""],"status":200}')
    assert not redis_client.exists(STREAM)


async def test_events_before_a_bad_one_are_stored(dev: httpx.AsyncClient, redis_client: redis.Redis) -> None:
    answer = await dev.post("/e/any", json=[{"name": "a"}, {"name": "b"}, {"name": ""}, {"name": "d"}])
    entries = stored(redis_client)
    assert [entry.name for entry in entries] == ["a", "b"]
    assert answer.status_code == 400
    ids = [entry.internal_id for entry in entries]
    assert answer.json() == {"ids": ids, "status": 400, "error": "event name is empty"}


async def test_the_first_five_thousand_of_more_are_stored(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    answer = await dev.post("/e/any", json=[{"name": "a"}] * 5001)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Cannot have more than 5000 events in a batch"
    assert len(answer.json()["ids"]) == 5000
    assert redis_client.xlen(STREAM) == 5000


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"x", "Request body must contain an event object or an array of event objects"),
        (b'{"name":"inngest/x"}', "event name is reserved for internal use: inngest/x"),
        (b'{"name":"a","ts":1}', "timestamp is before Jan 1, 1980"),
        (b"[" * 100_000, "event is nested too deeply"),
        (b'{"name":"a","data":{"x":"%b"}}' % (b"y" * 1_000_000), None),
    ],
)
async def test_a_bad_event_is_refused(
    dev: httpx.AsyncClient, redis_client: redis.Redis, body: bytes, error: str | None
) -> None:
    answer = await dev.post("/e/any", content=body)
    expected = error or "Event is over the max size: Max 1000000 bytes / Size 1000028 bytes"
    assert answer.status_code == 400
    assert answer.json() == {"ids": [""], "status": 400, "error": expected}
    assert not redis_client.exists(STREAM)


async def test_a_request_beyond_the_cap(dev: httpx.AsyncClient, redis_client: redis.Redis) -> None:
    body = b"[" + b" " * 2_000_000 + b"]"
    answer = await dev.post("/e/any", content=body)
    assert answer.status_code == 413
    assert answer.json() == {
        "ids": [""],
        "status": 413,
        "error": "Request body is over the max size: Max 2000000 bytes",
    }
    assert not redis_client.exists(STREAM)


async def test_a_compressed_body_is_refused_in_words(dev: httpx.AsyncClient) -> None:
    answer = await dev.post("/e/any", content=b"x", headers={"content-encoding": "GZIP"})
    assert answer.status_code == 415
    assert answer.json() == {"ids": [""], "status": 415, "error": "Content-Encoding gzip is not supported"}
    answer = await dev.post("/e/any", content=b'{"name":"a"}', headers={"content-encoding": "identity"})
    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["key-1", "key-2"])
async def test_configured_keys_are_accepted(
    server: httpx.AsyncClient, redis_client: redis.Redis, key: str
) -> None:
    assert (await server.post(f"/e/{key}", json={"name": "a"})).status_code == 200
    assert redis_client.xlen(STREAM) == 1


@pytest.mark.parametrize("key", ["key-3", "key-1x", "KEY-1", "%20", "key-1%2F", "%F0%9F%98%80"])
async def test_other_keys_are_not(server: httpx.AsyncClient, redis_client: redis.Redis, key: str) -> None:
    answer = await server.post(f"/e/{key}", json={"name": "a"})
    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "message": "", "error": "Event key not found"}
    assert answer.headers["x-inngest-server-kind"] == "cloud"
    assert not redis_client.exists(STREAM)


async def test_an_empty_key_where_one_is_required(server: httpx.AsyncClient) -> None:
    answer = await server.post("/e/", json={"name": "a"})
    assert answer.status_code == 401
    assert answer.json() == {"status": 401, "message": "", "error": "Event key is required"}


async def test_keys_required_but_none_configured(
    server_options: IngestOptions, store: RedisClient, connect: Connect
) -> None:
    client = connect(IngestApp(replace(server_options, event_keys=()), store))
    answer = await client.post("/e/key-1", json={"name": "a"})
    assert answer.status_code == 503
    assert answer.json() == {
        "status": 503,
        "message": "",
        "error": "Event keys are required to process events securely",
    }


async def test_without_redis_nothing_is_acknowledged(options: IngestOptions, connect: Connect) -> None:
    client = connect(IngestApp(options, RedisClient(f"redis://127.0.0.1:{free_port()}/0")))
    answer = await client.post("/e/any", json=[{"name": "a"}, {"name": "b"}])
    assert answer.status_code == 503
    assert answer.json() == {"ids": [""], "status": 503, "error": STORE_DOWN}


async def test_a_refusal_of_redis_is_not_acknowledged(
    dev: httpx.AsyncClient, redis_client: redis.Redis
) -> None:
    redis_client.set(STREAM, "not a stream")
    for body in ({"name": "a"}, [{"name": "a"}, {"name": "b"}]):
        answer = await dev.post("/e/any", json=body)
        assert answer.status_code == 503
        assert answer.json() == {"ids": [""], "status": 503, "error": STORE_DOWN}
