"""Topics of live updates, for everybody (spec 05, 1.12 and 5.3)."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.contrib.sessions.backends.db import SessionStore
from pytest_django.fixtures import Settings

from apps.identity.models import User
from apps.realtime.access import Listener
from apps.realtime.routing import websocket_urlpatterns
from apps.realtime.topics import Topic, parse_topic, run_topic, runs_topic
from apps.tenancy.models import Account, Environment
from apps.tenancy.permissions import Permission
from tests.integration.dashboard.tab import Tab
from tests.isolation.cast import CAST_ROLES, Place, Stage
from tests.isolation.endpoints import missing
from tests.isolation.ghosts import ghost_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# What the path of a connection leaves in its scope.
PRODUCTION: Final = {"url_route": {"args": (), "kwargs": {"org": "acme", "env": "production"}}}
# By the field of `Topic` that it fills.
TOPICS: Final[Mapping[str, Callable[[Place], str]]] = {
    "environment_id": lambda place: runs_topic(place.environment.id),
    "run_id": lambda place: run_topic(place.ended_run_id),
}


def test_every_topic_has_a_case() -> None:
    found = {field.name for field in fields(Topic)} - {"name"}
    advice = "Add the kind of topic to TOPICS in tests/isolation/test_topics.py."
    assert not (text := missing(found, set(TOPICS), advice)), text
    routes = {str(pattern.pattern) for pattern in websocket_urlpatterns}
    assert routes == {"ws/live", "o/<str:org>/env/<str:env>/ws/live"}, "one socket is tested here"


@pytest.fixture(autouse=True)
def layer_in_memory(settings: Settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    channel_layers.backends = {}


@sync_to_async
def session() -> SessionStore:
    store = SessionStore()
    store.create()
    return store


async def joined(topic: str, user: User | None, page: Place | None, kept: SessionStore | None = None) -> bool:
    """Whether the person's browser may listen on a page of the place; `kept` is a session with something in
    it."""
    more: dict[str, Any] = {"user": user, "session": kept or await session()} if user else {}
    tab = Tab([(b"host", b"stepwell.test")], more, page.path if page else "")
    assert (await tab.connect())["type"] == "websocket.accept"
    await tab.send({"subscribe": [topic]})
    answer = await tab.receive()
    await tab.disconnect()
    assert answer["subscribed"] + answer["refused"] == [topic]
    return answer["subscribed"] == [topic]


@pytest.mark.parametrize("kind", TOPICS)
async def test_who_may_listen(lasting_stage: Stage, kind: str) -> None:
    people, place, globex = lasting_stage.people, lasting_stage.production, lasting_stage.globex
    topic = TOPICS[kind](place)
    assert not await joined(topic, None, place)
    assert not await joined(topic, people.mallory, place)
    assert not await joined(TOPICS[kind](globex), people.alice, globex)
    for role in CAST_ROLES:
        is_viewer = await sync_to_async(_may_view)(lasting_stage, people.of_role(role))
        assert await joined(topic, people.of_role(role), place) == is_viewer, role
    assert await joined(TOPICS[kind](globex), people.mallory, globex)


@pytest.mark.parametrize("kind", TOPICS)
async def test_a_connection_hears_of_its_environment_only(lasting_stage: Stage, kind: str) -> None:
    alice, place, staging = lasting_stage.people.alice, lasting_stage.production, lasting_stage.staging
    assert await joined(TOPICS[kind](staging), alice, staging)
    for other in (*lasting_stage.others, _nowhere(place)):
        assert not await joined(TOPICS[kind](other), alice, place), other.marker
    assert not await joined(TOPICS[kind](place), alice, None), "it names no place"


def _nowhere(place: Place) -> Place:
    return replace(ghost_of(place), environment=Environment(id=uuid.uuid4()))


@sync_to_async
def looking_into(account: Account, seconds: float = 60) -> SessionStore:
    """The session of an operator's browser, in a look into the organisation."""
    store = SessionStore()
    store["support"] = {"id": str(account.id), "slug": account.slug, "until": time.time() + seconds}
    store.create()
    return store


@pytest.mark.parametrize("kind", TOPICS)
async def test_an_operator_listens_while_looking(lasting_stage: Stage, kind: str) -> None:
    topic, oscar, place = TOPICS[kind], lasting_stage.people.oscar, lasting_stage.production
    acme, globex, staging = lasting_stage.acme, lasting_stage.globex, lasting_stage.staging
    assert not await joined(topic(place), oscar, place)
    assert await joined(topic(place), oscar, place, await looking_into(acme))
    assert await joined(topic(staging), oscar, staging, await looking_into(acme))
    assert not await joined(topic(globex), oscar, globex, await looking_into(acme))
    refused = await looking_into(globex.account)
    assert not await joined(topic(globex), oscar, globex, refused), "it allows no support"
    assert not await joined(topic(place), oscar, place, await looking_into(acme, seconds=-1))
    assert not await joined(topic(place), lasting_stage.people.mallory, place, await looking_into(acme))


async def test_a_look_that_is_over_hears_nothing_more(lasting_stage: Stage) -> None:
    topic, kept = runs_topic(lasting_stage.production.environment.id), await looking_into(lasting_stage.acme)
    listener = Listener({"user": lasting_stage.people.oscar, "session": kept, **PRODUCTION})
    parsed = parse_topic(topic)
    assert parsed is not None
    assert await listener.may_listen(parsed)
    ended = SessionStore(kept.session_key)
    await sync_to_async(_end_look)(ended)
    assert not await listener.may_listen(parsed)


def _end_look(session: SessionStore) -> None:
    del session["support"]
    session.save()


async def test_members_listen_from_their_organisations_networks_only(lasting_stage: Stage) -> None:
    acme, alice = lasting_stage.acme, lasting_stage.people.alice
    await Account.objects.filter(id=acme.id).aupdate(allowed_networks=["192.0.2.0/24"])
    parsed = parse_topic(runs_topic(lasting_stage.production.environment.id))
    assert parsed is not None
    for ip, expected in (("192.0.2.7", True), ("198.51.100.7", False)):
        listener = Listener({"user": alice, "session": await session(), "client": (ip, 1), **PRODUCTION})
        assert await listener.may_listen(parsed) is expected


def _may_view(stage: Stage, user: User) -> bool:
    from apps.tenancy.access import access_for

    return access_for(user, stage.acme.slug, "production").has(Permission.VIEW)
