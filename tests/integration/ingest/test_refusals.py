"""Each request that the event path refuses leaves one entry, without its body and its key."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.refusals.refusal import UNKNOWN, Refusal
from apps.refusals.sender import RefusalSender
from apps.refusals.store import RefusalStore
from tests.conftest import free_port
from tests.integration.ingest.conftest import SIGNING_KEY, Connect
from tests.integration.ingest.noting import ENV, body_id, noted

WRONG_KEY = "an-event-key-of-somebody-else-Zz09"
SECRET = "s3cr3t-of-the-body"


@pytest.fixture
def buffer() -> RefusalBuffer:
    return RefusalBuffer()


@pytest.fixture
def dev(
    options: IngestOptions, store: RedisClient, connect: Connect, buffer: RefusalBuffer
) -> httpx.AsyncClient:
    return connect(IngestApp(options, store, buffer))


@pytest.fixture
def server(
    server_options: IngestOptions, store: RedisClient, connect: Connect, buffer: RefusalBuffer
) -> httpx.AsyncClient:
    return connect(IngestApp(server_options, store, buffer))


def of_events(env_id: str, status: int, reason: str, method: str = "POST", path: str = "/e/…") -> Refusal:
    return Refusal(env_id, "events", method, path, status, reason)


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (SECRET.encode(), {}, 400, "Request body must contain an event object or an array of event objects"),
        (b'{"name":"%b' % SECRET.encode(), {}, 400, "invalid event"),
        (b'[{"name":"%b"' % SECRET.encode(), {}, 400, "invalid JSON"),
        (b'{"name":""}', {}, 400, "event name is empty"),
        (b'{"name":"inngest/%b"}' % SECRET.encode(), {}, 400, "event name is reserved for internal use"),
        (b'{"name":"%b"}' % (b"n" * 257), {}, 400, "event name is too long"),
        (b'{"name":7}', {}, 400, "invalid event: Expected `str | null`, got `int` - at `$.name`"),
        (b'{"name":"a","ts":1}', {}, 400, "timestamp is before Jan 1, 1980"),
        (b'{"name":"a","data":"%b"}' % SECRET.encode(), {}, 400, "event data must be an object"),
        (
            b'{"name":"a","data":{"x":"%b"}}' % (b"y" * 1_000_000),
            {},
            400,
            "Event is over the max size: Max 1000000 bytes",
        ),
        (b"[" + b" " * 2_000_000 + b"]", {}, 413, "Request body is over the max size: Max 2000000 bytes"),
        (b"x", {"content-encoding": "gzip"}, 415, "Content-Encoding gzip is not supported"),
        (b"x", {"content-encoding": SECRET}, 415, "Unsupported Media Type"),
    ],
    ids=body_id,
)
async def test_a_bad_event_leaves_an_entry(
    server: httpx.AsyncClient,
    buffer: RefusalBuffer,
    body: bytes,
    headers: Mapping[str, str],
    status: int,
    reason: str,
) -> None:
    for _ in range(2):
        assert (await server.post("/e/key-1", content=body, headers=headers)).status_code == status
    entries = noted(buffer)
    assert entries == [(of_events(ENV, status, reason), 2, "")]
    assert SECRET not in str(entries)
    assert "key-1" not in str(entries)


@pytest.mark.parametrize(
    ("method", "path", "entry", "end"),
    [
        ("POST", f"/e/{WRONG_KEY}", of_events(UNKNOWN, 401, "Event key not found"), "Zz09"),
        ("POST", "/e/key-3", of_events(UNKNOWN, 401, "Event key not found"), ""),
        ("POST", "/e/", of_events(UNKNOWN, 401, "Event key is required", path="/e/"), ""),
        ("GET", "/e/key-1", of_events(UNKNOWN, 405, "Method Not Allowed", "GET"), ""),
        ("POST", f"/e/{WRONG_KEY}/more", of_events(UNKNOWN, 404, "Not Found"), ""),
        ("ODD", "/e/key-1", of_events(UNKNOWN, 405, "Method Not Allowed", "OTHER"), ""),
    ],
)
async def test_a_caller_who_is_not_known_leaves_an_entry(
    server: httpx.AsyncClient, buffer: RefusalBuffer, method: str, path: str, entry: Refusal, end: str
) -> None:
    assert (await server.request(method, path, content=b'{"name":"a"}')).status_code == entry.status
    entries = noted(buffer)
    assert entries == [(entry, 1, end)]
    assert WRONG_KEY not in str(entries)


async def test_a_server_without_keys_says_that_each_event_is_refused(
    server_options: IngestOptions, store: RedisClient, connect: Connect, buffer: RefusalBuffer
) -> None:
    client = connect(IngestApp(replace(server_options, event_keys=()), store, buffer))
    await client.post("/e/key-1", json={"name": "a"})
    reason = "Event keys are required to process events securely"
    assert noted(buffer) == [(of_events(UNKNOWN, 503, reason), 1, "")]


async def test_keys_of_a_flood_are_one_entry(server: httpx.AsyncClient, buffer: RefusalBuffer) -> None:
    for number in range(300):
        await server.post(f"/e/random-key-{number:04}", json={"name": "a"})
        await server.post(f"/invoke/slug-{number}", headers={"authorization": f"Bearer key-{number:09}"})
    assert noted(buffer) == [
        (of_events(UNKNOWN, 401, "Event key not found"), 300, "0299"),
        (Refusal(UNKNOWN, "invoke", "POST", "/invoke/…", 401, "Authentication failed"), 300, "0299"),
    ]


@pytest.mark.parametrize(
    ("slug", "body", "status", "path", "reason"),
    [
        ("app-fn", SECRET.encode(), 400, "/invoke/app-fn", "Invalid invocation event"),
        ("app-fn", b'{"ts":1}', 400, "/invoke/app-fn", "timestamp is before Jan 1, 1980"),
        (
            "app-fn",
            b" " * 2_000_001,
            413,
            "/invoke/app-fn",
            "Request body is over the max size: Max 2000000 bytes",
        ),
        ("", b"{}", 400, "/invoke/", "Function slug is required"),
        ("odd%20slug", b"x", 400, "/invoke/…", "Invalid invocation event"),
        ("key-2", b"x", 400, "/invoke/…", "Invalid invocation event"),
        (SIGNING_KEY, b"x", 400, "/invoke/…", "Invalid invocation event"),
    ],
    ids=body_id,
)
async def test_a_bad_invocation_leaves_an_entry(
    server: httpx.AsyncClient,
    buffer: RefusalBuffer,
    slug: str,
    body: bytes,
    status: int,
    path: str,
    reason: str,
) -> None:
    headers = {"authorization": f"Bearer {SIGNING_KEY}"}
    assert (await server.post(f"/invoke/{slug}", content=body, headers=headers)).status_code == status
    entries = noted(buffer)
    assert entries == [(Refusal(ENV, "invoke", "POST", path, status, reason), 1, "")]
    assert SECRET not in str(entries)
    assert "deadbeef" not in str(entries)


async def test_what_is_accepted_or_cannot_be_stored_leaves_none(
    dev: httpx.AsyncClient, options: IngestOptions, connect: Connect, buffer: RefusalBuffer
) -> None:
    assert (await dev.post("/e/any", json={"name": "a"})).status_code == 200
    assert (await dev.post("/invoke/app-fn", json={})).status_code == 200
    assert (await dev.get("/e/")).status_code == 303
    away = connect(IngestApp(options, RedisClient(f"redis://127.0.0.1:{free_port()}/0"), buffer))
    assert (await away.post("/e/any", json={"name": "a"})).status_code == 503
    assert noted(buffer) == []


async def test_an_entry_reaches_redis_without_body_and_key(
    server: httpx.AsyncClient, store: RedisClient, buffer: RefusalBuffer
) -> None:
    await server.post(f"/e/{WRONG_KEY}", json={"name": SECRET})
    await server.post("/e/key-1", json={"name": f"inngest/{SECRET}"})
    refusals = RefusalStore(store, Keys("t"))
    await RefusalSender(buffer, refusals).flush()
    (of_env,) = await refusals.latest(ENV)
    (unknown,) = await refusals.latest(UNKNOWN)
    assert of_env.refusal == of_events(ENV, 400, "event name is reserved for internal use")
    assert (of_env.count, of_env.key_end, of_env.first_ms) == (1, "", of_env.last_ms)
    assert unknown.refusal == of_events(UNKNOWN, 401, "Event key not found")
    assert (unknown.count, unknown.key_end) == (1, "Zz09")
    raw = [await store.execute("HGETALL", Keys("t").refusals(owner)) for owner in (ENV, "unknown")]
    for secret in (SECRET, WRONG_KEY, "key-1"):
        assert secret not in str(raw)


SEGMENTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
BODIES = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "data", "user", "id", "ts", "v", "meta", "x"]), inner, max_size=4
        )
    ),
    max_leaves=10,
).map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(
    st.sampled_from([b"content-encoding", b"content-length", b"x-inngest-event-id-seed", b"traceparent"]),
    st.binary(max_size=30),
    max_size=3,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SEGMENTS, BODIES, HEADERS, st.booleans())
def test_whatever_is_posted_is_answered_and_leaves_one_entry_if_refused(
    server_options: IngestOptions, segment: str, body: bytes, headers: dict[bytes, bytes], is_open: bool
) -> None:
    options = replace(server_options, mode="dev") if is_open else server_options
    buffer = RefusalBuffer()
    statuses = asyncio.run(post_raw(options, buffer, segment, body, headers))
    entries = noted(buffer)
    assert len(statuses) == 1
    assert [entry.status for entry, _, _ in entries] == [status for status in statuses if status >= 400]
    assert {count for _, count, _ in entries} <= {1}
    assert {entry.path for entry, _, _ in entries} <= {"/e/", "/e/…"}


async def post_raw(
    options: IngestOptions, buffer: RefusalBuffer, segment: str, body: bytes, headers: dict[bytes, bytes]
) -> list[int]:
    """The status of each answer (there must be one) to a POST below /e/."""
    statuses: list[int] = []
    path = f"/e/{segment}"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "headers": list(headers.items()),
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    store = RedisClient(options.redis_url)
    try:
        await IngestApp(options, store, buffer)(scope, receive, send)
    finally:
        await store.close()
    return statuses
