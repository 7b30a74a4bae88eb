"""The paths that bypass Django: events, invocations, checkpoints, run state (spec 05, 1.12 and 1.14)."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import msgspec
import pytest
import redis
from asgiref.sync import sync_to_async

from apps.api import sdk_state
from apps.api.sdk_state import SdkStateApp
from apps.credentials.process import process_resolver
from apps.engine.engine import Engine
from apps.engine.event_stream import EventEntry, parse_entry
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient
from apps.ingest import app as ingest
from apps.ingest.app import IngestApp
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.tenancy.permissions import Permission as P
from config.routing import PrefixRouter
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import missing
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.snapshot import Snapshot
from tests.isolation.visitors import bearer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EVENTS = Keys("0").events
STEPS = msgspec.json.encode({"steps": [{"op": "StepRun", "id": "b" * 40, "data": {"v": 1}}]})


@dataclass(frozen=True)
class Thin:
    """A request about a place by the bearer `secret`, or by the key in its path. `absent`: the status for ids
    that name nothing; None where the request names none, or makes an event of the caller's own place."""

    method: str
    path: Callable[[Place], str]
    permission: P
    body: bytes = b""
    absent: int | None = None
    is_key_in_path: bool = False
    ends: tuple[int, ...] = (200,)
    changes: bool = True


# By the prefix under which config/asgi.py mounts it, and what follows.
THIN: Final[Mapping[str, Thin]] = {
    "/e/ key": Thin(
        "POST", lambda place: "/e/{secret}", P.EVENT_SEND, b'{"name": "a/b"}', is_key_in_path=True
    ),
    "/invoke/ slug": Thin(
        "POST", lambda place: f"/invoke/{place.function.slug}", P.FUNCTION_INVOKE, b'{"data": {}}'
    ),
    "/v1/checkpoint/ async": Thin(
        "POST", lambda place: f"/v1/checkpoint/{place.run_id}/async", P.DATA_READ, STEPS, absent=400
    ),
    "/v1/http/runs/ async": Thin(
        "POST", lambda place: f"/v1/http/runs/{place.run_id}/async", P.DATA_READ, STEPS, absent=400
    ),
    "/v0/runs/ actions": Thin(
        "GET", lambda place: f"/v0/runs/{place.run_id}/actions", P.DATA_READ, absent=410, changes=False
    ),
    "/v0/runs/ batch": Thin(
        "GET", lambda place: f"/v0/runs/{place.run_id}/batch", P.DATA_READ, absent=410, changes=False
    ),
}


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(f"nothing thin answers {scope['path']}")


@pytest.fixture
async def web(redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    store = RedisClient(redis_url)
    options = IngestOptions("server", redis_url, "0", max_event_bytes=10_000, max_body_bytes=100_000)
    events = IngestApp(options, store, RefusalBuffer(), process_resolver())
    state = SdkStateApp(options, Engine(store, "0"), _nothing, RefusalBuffer(), process_resolver())
    mounted = dict.fromkeys(ingest.PREFIXES, events) | dict.fromkeys(sdk_state.PREFIXES, state)
    transport = httpx.ASGITransport(PrefixRouter(mounted, _nothing, []))
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        yield client
    await store.close()


async def ask(
    web: httpx.AsyncClient, case: Thin, about: Place, secret: str, **headers: str
) -> httpx.Response:
    path = case.path(about).replace("{secret}", secret)
    sent = ({} if case.is_key_in_path else bearer(secret)) | headers
    return await web.request(case.method, path, content=case.body, headers=sent)


def entries(queue: "redis.Redis") -> list[EventEntry]:
    found: list[tuple[bytes, dict[bytes, bytes]]] = queue.xrange(EVENTS)  # type: ignore[assignment]
    return [parse_entry(fields) for _, fields in found]


def test_every_thin_path_has_a_case() -> None:
    found = {*ingest.PREFIXES, *sdk_state.PREFIXES}
    advice = "Add what it answers to THIN in tests/isolation/test_thin_paths.py."
    assert not (text := missing(found, {name.split()[0] for name in THIN}, advice)), text


def test_nothing_else_is_mounted_in_front_of_django() -> None:
    from config import asgi

    mounted = set(asgi.thin_handlers(_nothing))
    assert mounted == {*ingest.PREFIXES, *sdk_state.PREFIXES}


@pytest.mark.parametrize("name", THIN)
async def test_who_may_ask(
    lasting_stage: Stage, queue: "redis.Redis", web: httpx.AsyncClient, name: str
) -> None:
    case, place = THIN[name], lasting_stage.production
    before = await sync_to_async(Snapshot)(queue)
    unknown = "x" * 40 if case.is_key_in_path else "signkey-prod-" + "0" * 64
    for secret in ("" if not case.is_key_in_path else "none", unknown):
        assert (await ask(web, case, place, secret)).status_code == 401
    await _assert_others_find_nothing(web, case, lasting_stage)
    assert await sync_to_async(before.changes)() == set()

    await _assert_permission_is_asked_for(web, case, place)
    before = await sync_to_async(Snapshot)(queue)
    right = await ask(web, case, place, place.event_key if case.is_key_in_path else place.signing_key)
    assert right.status_code in case.ends, right.text
    changed = await sync_to_async(before.changes)()
    assert bool(changed) == case.changes
    assert {entry.env_id for entry in entries(queue)} <= {place.env_id}


async def _assert_others_find_nothing(web: httpx.AsyncClient, case: Thin, stage: Stage) -> None:
    if case.absent is None:
        return
    ghost = ghost_of(stage.production)
    for other in stage.others:
        answer = await ask(web, case, stage.production, other.signing_key)
        unknown = await ask(web, case, ghost, other.signing_key)
        assert (answer.status_code, unknown.status_code) == (case.absent, case.absent)
        assert without_ids(answer.content, stage.production) == without_ids(unknown.content, ghost)


async def _assert_permission_is_asked_for(web: httpx.AsyncClient, case: Thin, place: Place) -> None:
    """A key that may do everything but this."""
    if case.is_key_in_path:
        return  # an event key has this one permission; what its filters refuse is in test_event_path.py
    others = sorted({P.DATA_READ, P.RUN_CANCEL, P.FUNCTION_INVOKE, P.EVENT_SEND} - {case.permission})
    secret = await sync_to_async(place.api_key)(*others)
    denied = await ask(web, case, place, secret)
    assert denied.status_code == 403
    assert case.permission in denied.text


@pytest.mark.parametrize("name", ["/e/ key", "/invoke/ slug"])
async def test_events_of_others_are_events_of_their_own(
    lasting_stage: Stage, queue: "redis.Redis", web: httpx.AsyncClient, name: str
) -> None:
    """Whatever the request names, the key says whose event it is."""
    case, place = THIN[name], lasting_stage.production
    for other in lasting_stage.others:
        secret = other.event_key if case.is_key_in_path else other.signing_key
        for header in (place.environment.slug, str(place.environment.id)):
            answer = await ask(web, case, place, secret, **{"x-inngest-env": header})
            assert answer.status_code == 200
    owners = [(entry.account_id, entry.env_id) for entry in entries(queue)]
    assert owners == [
        (str(other.account_id), other.env_id) for other in lasting_stage.others for _ in range(2)
    ]
