"""Hostile bodies and null characters on every interface: each is refused, none is a failure of the server."""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Final

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from apps.api.sdk_state import SdkStateApp
from apps.credentials.process import process_resolver
from apps.engine.engine import Engine
from apps.engine.store.client import RedisClient
from apps.ingest import app as ingest
from apps.ingest.app import IngestApp
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.runs.models import RunPayload, StepPayload
from apps.webhooks.door import WebhookDoor
from apps.webhooks.scripts import ResultInvalid, emitted_events, response_of
from apps.webhooks.services.scripts import pool
from config.routing import PrefixRouter
from tests.integration.security.hostile import BODIES, BOMB
from tests.isolation.cast import STEP, Place, Stage, make_stage
from tests.isolation.visitors import Visitor, bearer

# What it may take at most, on a machine that does other things too.
SECONDS: Final = 5.0

PathOf = Callable[[Place], str]

REST: Final[Mapping[str, tuple[str, str]]] = {
    "register": ("POST", "/fn/register"),
    "cancellations": ("POST", "/v1/cancellations"),
    "signals": ("POST", "/v1/signals"),
    "graphql": ("POST", "/v0/gql"),
}


def asked(client: Client, method: str, path: str, body: bytes, secret: str, **headers: str) -> int:
    started = time.monotonic()
    answer = client.generic(method, path, body, "application/json", headers=bearer(secret) | headers)
    assert time.monotonic() - started < SECONDS
    return answer.status_code


@pytest.fixture
def tolerant() -> Client:
    """A failure of the server is its answer, not an exception in the test."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("name", REST)
def test_rest_sync_and_graphql(stage: Stage, tolerant: Client, name: str) -> None:
    method, path = REST[name]
    for kind, body in BODIES.items():
        status = asked(tolerant, method, path, body, stage.production.signing_key)
        assert status in (400, 404, 413, 422), kind
    packed = asked(tolerant, method, path, BOMB, stage.production.signing_key, **{"Content-Encoding": "gzip"})
    assert packed in (400, 413, 415)


def test_variables_of_graphql(stage: Stage, tolerant: Client) -> None:
    for kind, body in BODIES.items():
        if kind in ("nothing", "unfinished"):
            continue
        query = b'{"query": "query($v: UUID!) {app(id: $v) {id}}", "variables": {"v": ' + body + b"}}"
        status = asked(tolerant, "POST", "/v0/gql", query, stage.production.signing_key)
        assert status in (200, 400, 413, 422), kind


def test_forms_of_pages(stage: Stage) -> None:
    alice, place = Visitor(stage.people.alice), stage.production
    for kind, body in BODIES.items():
        for path, field in (
            ("events/send", "body"),
            (f"functions/{place.function.slug}/invoke", "data"),
        ):
            started = time.monotonic()
            answer = alice.ask("POST", f"{place.path}/{path}", {field: body.decode("latin-1")})
            assert answer.status_code in (302, 422), kind
            assert time.monotonic() - started < SECONDS, kind


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(f"nothing thin answers {scope['path']}")


@pytest.fixture
async def web(redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    store = RedisClient(redis_url)
    options = IngestOptions("server", redis_url, "0", max_event_bytes=2_000_000, max_body_bytes=4_000_000)
    door = WebhookDoor(options, store, pool)
    events = IngestApp(options, store, RefusalBuffer(), process_resolver(), door)
    state = SdkStateApp(options, Engine(store, "0"), _nothing, RefusalBuffer(), process_resolver())
    mounted = dict.fromkeys(ingest.PREFIXES, events) | {"/v1/checkpoint/": state}
    transport = httpx.ASGITransport(PrefixRouter(mounted, _nothing, []))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client
    await store.close()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_thin_paths(web: httpx.AsyncClient, server: None) -> None:
    place = (await sync_to_async(make_stage)()).production
    hook = await sync_to_async(_webhook_key)(place)
    for path in (
        f"/e/{place.event_key}",
        f"/e/{hook}",
        f"/invoke/{place.function.slug}",
        f"/v1/checkpoint/{place.run_id}/async",
    ):
        for kind, body in BODIES.items():
            started = time.monotonic()
            answer = await web.post(path, content=body, headers=bearer(place.signing_key))
            assert answer.status_code in (200, 400, 413), (path, kind, answer.text)
            assert time.monotonic() - started < SECONDS, (path, kind)
        for encoding in ("gzip", "deflate", "br", "zstd"):
            headers = bearer(place.signing_key) | {"content-encoding": encoding}
            assert (await web.post(path, content=BOMB, headers=headers)).status_code == 415
        bomb = await web.post(path, content=b" " * 4_000_001, headers=bearer(place.signing_key))
        assert bomb.status_code == 413


def _webhook_key(place: Place) -> str:
    from apps.credentials import secrets
    from apps.credentials.models import EventKey

    return secrets.decrypt(EventKey.objects.get(id=place.ids["webhook"]).value_encrypted)


# Of what people and programs put into addresses and forms, everything that may come to a query.
NUL_PATHS: Final = (
    "/o/a%00b/env/production/runs",
    "/o/acme/env/a%00b/runs",
    "/o/acme/env/production/runs/a%00b",
    "/o/acme/env/production/events/a%00b",
    "/o/acme/env/production/functions/a%00b",
    "/o/acme/env/production/runs?q=a%00b&function=%00&app=%00&status=%00&after=%00",
    "/o/acme/env/production/events?q=a%00b&name=%00&after=%00",
    "/o/acme/env/production/events/send?like=%00",
    "/o/acme/env/production/palette?q=%00",
    "/o/acme/settings/audit?after=%00&action=%00&actor=%00",
    "/switch?org=%00&next=%00",
    "/invite/a%00b",
    "/sign-in?next=%00",
)
NUL_CALLS: Final = (
    "/v1/events?name=a%00b",
    "/v1/events/a%00b",
    "/v1/runs/a%00b",
    "/v1/apps/a%00b/functions",
)


def test_null_characters_on_both_databases(default_database: str, server: None) -> None:
    """PostgreSQL refuses them in any text, so none may get that far."""
    stage = make_stage()
    alice, place = Visitor(stage.people.alice), stage.production
    client, secret = Client(), place.signing_key
    asks: dict[str, Callable[[], int]] = {}
    for path in NUL_PATHS:
        asks[path] = partial(_page, alice, path)
    for path in NUL_CALLS:
        asks[path] = partial(asked, client, "GET", path, b"", secret)
    for name, (method, path) in REST.items():
        asks[name] = partial(asked, client, method, path, json.dumps(_with_nul(name)).encode(), secret)
    asks["a secret"] = partial(asked, client, "GET", "/v1/events", b"", "a\x00b")
    headers = {"X-Inngest-Env": "a\x00b"}
    asks["an environment"] = partial(asked, client, "GET", "/v1/events", b"", secret, **headers)
    asks["a form"] = lambda: int(
        alice.ask("POST", f"{place.path}/settings/name", {"value": "a\x00b"}).status_code
    )
    assert [problem for name, ask in asks.items() for problem in _problem(name, ask)] == []


def _page(visitor: Visitor, path: str) -> int:
    return int(visitor.ask("GET", path).status_code)


def _problem(what: str, ask: Callable[[], int]) -> list[str]:
    try:
        status = ask()
    except Exception as error:  # whatever the database says: it must not come to that
        return [f"{what}: {error!r}"]
    return [f"{what}: {status}"] if status >= 500 else []


def _with_nul(name: str) -> object:
    nul = "a\x00b"
    if name == "register":
        from tests.unit.registry.bodies import function

        return {
            "url": "http://127.0.0.1:9/x",
            "deployType": "ping",
            "appName": nul,
            "framework": nul,
            "v": "0.1",
            "sdk": "js:v4.24.0",
            "functions": [function(name=nul)],
        }
    if name == "graphql":
        return {"query": '{functionBySlug(query: {functionSlug: "a\\u0000b"}) {id}}'}
    return {
        "app_id": nul,
        "function_id": nul,
        "started_before": "2026-01-01T00:00:00Z",
        "signal": nul,
        "if": nul,
    }


def test_what_is_nested_deeply_can_be_shown(stage: Stage, tolerant: Client) -> None:
    """A function may return what no parser of ours goes through."""
    place = stage.production
    deep = BODIES["deep lists"].decode()
    RunPayload.objects.filter(run_id=place.ended_run_id).update(output=deep)
    StepPayload.objects.filter(run_id=place.ended_run_id).update(output=deep, error=deep, input=deep)
    alice = Visitor(stage.people.alice)
    for path in (
        f"runs/{place.ended_run_id}",
        f"runs/{place.ended_run_id}?step={STEP}",
        f"runs/{place.ended_run_id}/payload",
        "runs",
    ):
        assert alice.ask("GET", f"{place.path}/{path}").status_code == 200, path
    answer = tolerant.get(f"/v1/runs/{place.ended_run_id}", headers=bearer(place.signing_key))
    assert answer.status_code == 200


def test_what_scripts_nest_deeply_is_refused() -> None:
    deep = BODIES["deep lists"].decode()
    with pytest.raises(ResultInvalid):
        emitted_events(f"[{deep}]", meta={}, received_ms=0, max_bytes=1_000_000)
    with pytest.raises(ResultInvalid):
        response_of(f'{{"status": 200, "body": {deep}}}')
