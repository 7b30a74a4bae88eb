"""Live updates in server mode: who may listen, and for how long."""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from pytest_django.fixtures import Settings

from apps.engine.protocol.ids import new_ulid
from apps.identity.models import User
from apps.realtime import access, consumers
from apps.realtime.access import Listener
from apps.realtime.topics import Topic, parse_topic, run_topic, runs_topic
from apps.tenancy.models import Environment, Membership, Role
from tests.integration.credentials.world import Organisation, organisation
from tests.integration.dashboard.tab import Tab
from tests.integration.engine.engine_world import EngineWorld, function

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SessionStore = import_module(django_settings.SESSION_ENGINE).SessionStore


@pytest.fixture
def acme(transactional_db: None) -> Organisation:
    return organisation("Acme")


@pytest.fixture
def globex(transactional_db: None) -> Organisation:
    return organisation("Globex")


def signed_in(user: User | AnonymousUser) -> dict[str, Any]:
    session = SessionStore()
    session.create()
    return {"user": user, "session": session}


def topic(name: str) -> Topic:
    found = parse_topic(name)
    assert found is not None
    return found


def on_page_of(environment: Environment, scope: dict[str, Any]) -> dict[str, Any]:
    """With what the path of the connection leaves in its scope."""
    place = {"org": environment.account.slug, "env": environment.slug}
    return {**scope, "url_route": {"args": (), "kwargs": place}}


async def hears(scope: dict[str, Any], environment: Environment) -> bool:
    return await Listener(on_page_of(environment, scope)).may_listen(topic(runs_topic(environment.id)))


async def test_members_hear_of_their_environments(acme: Organisation, globex: Organisation) -> None:
    ours, theirs, branch = await sync_to_async(lambda: (acme.production, globex.production, acme.branches))()
    scope = await sync_to_async(signed_in)(acme.owner)
    assert [await hears(scope, each) for each in (ours, branch, theirs)] == [True, True, False]


async def test_who_is_not_signed_in_hears_nothing(acme: Organisation) -> None:
    production = await sync_to_async(lambda: acme.production)()
    scope = await sync_to_async(signed_in)(AnonymousUser())
    for one in ({}, scope, {"user": acme.owner}, {"user": acme.owner, "session": SessionStore()}):
        assert not await hears(one, production)


@pytest.mark.parametrize(("role", "is_heard"), [(Role.VIEWER, True), (Role.BILLING, False)])
async def test_it_needs_the_permission_to_see(acme: Organisation, role: Role, is_heard: bool) -> None:
    production = await sync_to_async(lambda: acme.production)()
    await Membership.objects.filter(user=acme.owner).aupdate(role=role)
    assert await hears(await sync_to_async(signed_in)(acme.owner), production) is is_heard


async def test_a_session_that_was_ended_hears_nothing(acme: Organisation) -> None:
    production = await sync_to_async(lambda: acme.production)()
    scope = await sync_to_async(signed_in)(acme.owner)
    assert await hears(scope, production)
    await sync_to_async(SessionStore(scope["session"].session_key).delete)()
    assert not await hears(scope, production)


async def test_a_run_is_heard_of_by_who_sees_its_environment(
    engine_world: EngineWorld, acme: Organisation, globex: Organisation
) -> None:
    production = await sync_to_async(lambda: acme.production)()
    env_id = str(production.id)
    await engine_world.publish(function("fn", "app/go", env_id=env_id))
    await engine_world.send("app/go", {}, env=env_id, event_id="e")
    (handled,) = await engine_world.handle()
    live = topic(run_topic(handled.run_ids[0]))
    unknown = topic(run_topic(new_ulid(1)))
    theirs = await sync_to_async(lambda: globex.production)()
    own = on_page_of(production, await sync_to_async(signed_in)(acme.owner))
    intruding = on_page_of(production, await sync_to_async(signed_in)(globex.owner))
    foreign = on_page_of(theirs, await sync_to_async(signed_in)(globex.owner))
    assert await Listener(own).may_listen(live)
    assert not await Listener(foreign).may_listen(live)
    assert not await Listener(intruding).may_listen(live)
    assert not await Listener(own).may_listen(unknown)


@pytest.fixture
def layer_in_memory(settings: Settings) -> Iterator[None]:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    channel_layers.backends = {}
    yield
    channel_layers.backends = {}


@pytest.fixture
async def tab(layer_in_memory: None, acme: Organisation) -> AsyncIterator[Tab]:
    scope = await sync_to_async(signed_in)(acme.owner)
    connection = Tab([(b"host", b"stepwell.test")], scope, "/o/acme/env/production")
    assert (await connection.connect())["type"] == "websocket.accept"
    yield connection
    await connection.disconnect()


async def test_who_has_left_is_dropped(tab: Tab, acme: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    name = runs_topic((await sync_to_async(lambda: acme.production)()).id)
    await tab.send({"subscribe": [name]})
    assert await tab.receive() == {"subscribed": [name], "refused": []}
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(name, {"type": "hint", "run_id": "01J", "version": 1})
    assert await tab.receive() == {"changed": [name]}
    await Membership.objects.filter(user=acme.owner).adelete()
    monkeypatch.setattr(consumers, "RECHECK_SECONDS", 0.0)
    await layer.group_send(name, {"type": "hint", "run_id": "01J", "version": 2})
    assert await tab.receive() == {"refused": [name]}
    await layer.group_send(name, {"type": "hint", "run_id": "01J", "version": 3})
    assert await tab.hears_nothing(0.4)
    assert access.RECHECK_SECONDS == 30.0
