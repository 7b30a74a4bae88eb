"""Functions reach the engine after the commit, and again when it had lost them."""

import json

import msgspec
import pytest
from django.test import Client
from pytest_django.fixtures import Settings
from redis import Redis

from apps.engine.functions import decode_spec
from apps.engine.keys import Keys
from apps.registry import selectors
from apps.registry.models import App, Function
from apps.registry.services import publication
from tests.integration.registry.conftest import RecordingEngine, Register
from tests.unit.registry.bodies import function, register_body


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_lost_engine_is_told_and_the_next_sync_publishes(client: Client, engine: RecordingEngine) -> None:
    body = register_body(function())
    engine.is_down = True
    response = client.post("/fn/register", body, content_type="application/json")
    assert response.status_code == 503
    assert json.loads(response.content) == {
        "error": "The functions are stored, but the engine is not reachable yet",
        "data": None,
        "status": 503,
    }
    assert App.objects.get().publish_pending

    engine.is_down = False
    response = client.post("/fn/register", body, content_type="application/json")

    assert json.loads(response.content)["modified"] is True
    assert engine.published == [(["shop-f"], [])]
    assert Function.objects.get().version == 1
    assert not App.objects.get().publish_pending


def test_republish_all_gives_live_and_archived_functions(register: Register, engine: RecordingEngine) -> None:
    register(register_body(function("shop-a"), function("shop-b")))
    register(register_body(function("shop-a")))
    App.objects.update(publish_pending=True)
    engine.published.clear()

    assert publication.republish_all() == 1

    assert engine.published == [(["shop-a"], [str(Function.objects.get(slug="shop-b").id)])]
    assert {slug: spec.archived for slug, spec in engine.specs.items()} == {"shop-a": False, "shop-b": True}
    assert [spec.slug for spec in selectors.live_specs()] == ["shop-a"]
    assert not App.objects.get().publish_pending


def test_republish_without_functions(db: None, engine: RecordingEngine) -> None:
    assert publication.republish_all() == 0
    assert engine.published == []


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_real_engine_holds_what_was_synced(
    client: Client, redis_client: Redis, redis_url: str, settings: Settings
) -> None:
    settings.REDIS_URL = redis_url
    functions = Keys(settings.STEPWELL_SHARD).functions
    body = register_body(function("shop-a"), function("shop-b"))
    assert client.post("/fn/register", body, content_type="application/json").status_code == 200
    stored = {row.id: row.spec.encode() for row in Function.objects.all()}
    assert redis_client.hgetall(functions) == {str(key).encode(): spec for key, spec in stored.items()}

    redis_client.flushall()
    publication.republish_all()

    assert redis_client.hgetall(functions) == {str(key).encode(): spec for key, spec in stored.items()}
    client.post("/fn/register", register_body(function("shop-a")), content_type="application/json")
    archived = Function.objects.get(slug="shop-b")
    raw = redis_client.hget(functions, str(archived.id))
    assert isinstance(raw, bytes)
    assert decode_spec(raw) == msgspec.structs.replace(decode_spec(archived.spec.encode()), archived=True)
