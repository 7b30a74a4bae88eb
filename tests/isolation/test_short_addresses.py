"""Addresses without an organisation lead to what the person may see, and know nothing else (spec 05, 5.1)."""

from collections.abc import Callable, Mapping
from typing import Final

import httpx
import pytest
import redis

from apps.engine.store.client import RedisClient
from apps.ingest.app import IngestApp
from apps.ingest.asgi_types import Receive, Scope, Send
from apps.ingest.options import IngestOptions
from apps.refusals.buffer import RefusalBuffer
from apps.tenancy.models import Environment, Membership
from tests.isolation.cast import Place, Stage
from tests.isolation.ghosts import ghost_of, without_ids
from tests.isolation.snapshot import Snapshot
from tests.isolation.visitors import Visitor

# Each address by its name, and the page below an environment that it leads to.
SHORT: Final[Mapping[str, tuple[Callable[[Place], str], Callable[[Place], str]]]] = {
    "short-run": (lambda place: f"/r/{place.ended_run_id}", lambda place: f"runs/{place.ended_run_id}"),
    "short-event": (lambda place: f"/e/{place.event_id}", lambda place: f"events/{place.event_id}"),
    "short-environment": (lambda place: "/env/staging/runs", lambda place: "runs"),
}
OF_THINGS: Final = ("short-run", "short-event")


@pytest.mark.parametrize("name", SHORT)
def test_nobody_is_told_without_signing_in(stage: Stage, name: str) -> None:
    path = SHORT[name][0](stage.staging)
    answer = Visitor().ask("GET", path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("name", SHORT)
def test_a_member_is_led_to_the_place(stage: Stage, queue: "redis.Redis", name: str) -> None:
    short, page = SHORT[name]
    before = Snapshot(queue)
    answer = Visitor(stage.people.alice).ask("GET", f"{short(stage.staging)}?tab=output")
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{stage.staging.path}/{page(stage.staging)}?tab=output",
    )
    assert before.changes() == set()


@pytest.mark.parametrize("name", OF_THINGS)
def test_a_strangers_thing_is_one_that_nobody_has(stage: Stage, name: str) -> None:
    short, _ = SHORT[name]
    mallory = Visitor(stage.people.mallory)
    ghost = ghost_of(stage.production)
    unknown = mallory.ask("GET", short(ghost))
    for place in (stage.production, stage.staging):
        answer = mallory.ask("GET", short(place))
        assert (answer.status_code, unknown.status_code) == (404, 404)
        assert without_ids(answer.content, place) == without_ids(unknown.content, ghost)


@pytest.mark.parametrize("name", OF_THINGS)
def test_a_member_kept_to_an_environment_finds_no_others(stage: Stage, name: str) -> None:
    short, _ = SHORT[name]
    member = Membership.objects.get(user=stage.people.alice, account=stage.acme)
    member.is_restricted = True
    member.save()
    member.environments.set([stage.staging.environment])
    alice = Visitor(stage.people.alice)
    assert alice.ask("GET", short(stage.staging)).status_code == 302
    assert alice.ask("GET", short(stage.production)).status_code == 404


def test_the_name_of_an_environment_is_looked_for_in_ones_own_organisations(stage: Stage) -> None:
    mallory = Visitor(stage.people.mallory)
    known, unknown = mallory.ask("GET", "/env/staging/runs"), mallory.ask("GET", "/env/nowhere/runs")
    assert (known.status_code, unknown.status_code) == (404, 404)
    assert known.content.replace(b"staging", b"nowhere") == unknown.content
    assert mallory.ask("GET", "/env/production")["Location"] == f"{stage.globex.path}/"
    assert not Environment.objects.filter(account=stage.globex.account, slug="staging").exists()


def test_the_organisation_used_last_comes_first(stage: Stage) -> None:
    alice = Visitor(stage.people.alice)
    Membership.objects.create(account=stage.globex.account, user=stage.people.alice, role="viewer")
    assert alice.ask("GET", "/env/production/apps")["Location"] == f"{stage.production.path}/apps"
    assert alice.ask("GET", f"{stage.globex.path}/runs").status_code == 200
    assert alice.ask("GET", "/env/production/apps")["Location"] == f"{stage.globex.path}/apps"


@pytest.mark.parametrize(
    "path", ["/env//evil.example", "/env/production//evil.example", "/env/production/%0d%0ax"]
)
def test_no_address_leads_out_of_the_place(stage: Stage, path: str) -> None:
    answer = Visitor(stage.people.alice).ask("GET", path)
    assert answer.status_code == 404 or answer["Location"].startswith(f"{stage.production.path}/")


async def test_the_door_of_events_leaves_the_ids_of_events_to_the_pages(redis_url: str) -> None:
    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 302, "headers": []})
        await send({"type": "http.response.body", "body": b"a page"})

    options = IngestOptions("server", redis_url, "0", max_event_bytes=10_000, max_body_bytes=100_000)
    store = RedisClient(redis_url)
    door = IngestApp(options, store, RefusalBuffer(), pages=pages)
    transport = httpx.ASGITransport(door)
    async with httpx.AsyncClient(transport=transport, base_url="http://stepwell") as client:
        event = "/e/01JZ0000000000000000E90001"
        assert (await client.get(event)).status_code == 302
        assert (await client.post(event, content=b"{}")).text != "a page"
        assert (await client.get("/e/a-key")).status_code == 405
    await store.close()
