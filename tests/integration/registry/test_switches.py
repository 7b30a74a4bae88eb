"""Pausing and draining a function, and what must not undo it (spec 02, 12.3, 12.5 and 12.7)."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from apps.engine import bridge
from apps.engine.store.client import RedisUnavailable
from apps.registry.exceptions import FunctionArchived, FunctionNotFound
from apps.registry.models import App, Function
from apps.registry.services import apps, publication
from apps.registry.services.switches import (
    function_drain,
    function_pause,
    function_resume,
    function_undrain,
)
from apps.tenancy.models import DEV_ENVIRONMENT_ID, Environment
from tests.integration.registry.conftest import RecordingEngine
from tests.unit.registry.bodies import function, register_body

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SLUG = "shop-f"


@pytest.fixture
def environment(engine: RecordingEngine, client: Client) -> Environment:
    """The environment, with the function shop-f synced."""
    sync(client)
    return Environment.objects.get(id=DEV_ENVIRONMENT_ID)


def sync(client: Client, *functions: dict[str, object], **changes: object) -> None:
    body = register_body(*(functions or (function(SLUG),)), **changes)
    response = client.post("/fn/register", body, content_type="application/json")
    assert response.status_code == 200, response.content


def switches(engine: RecordingEngine) -> tuple[bool, bool, bool]:
    """(archived, paused, drained) as the engine was told last."""
    spec = engine.specs[SLUG]
    return spec.archived, spec.paused, spec.drained


def row() -> Function:
    return Function.objects.get(slug=SLUG)


def test_pause_and_resume(environment: Environment, engine: RecordingEngine) -> None:
    paused = function_pause(environment=environment, function_id=row().id)
    assert paused.paused_at is not None
    assert switches(engine) == (False, True, False)
    assert row().paused_at == paused.paused_at

    again = function_pause(environment=environment, function_id=row().id)
    assert again.paused_at == paused.paused_at

    assert function_resume(environment=environment, function_id=row().id).paused_at is None
    assert switches(engine) == (False, False, False)
    function_resume(environment=environment, function_id=row().id)
    assert row().paused_at is None


def test_drain_is_independent_of_pause(environment: Environment, engine: RecordingEngine) -> None:
    function_drain(environment=environment, function_id=row().id)
    assert switches(engine) == (False, False, True)
    function_pause(environment=environment, function_id=row().id)
    assert switches(engine) == (False, True, True)
    function_resume(environment=environment, function_id=row().id)
    assert switches(engine) == (False, False, True)
    function_undrain(environment=environment, function_id=row().id)
    assert switches(engine) == (False, False, False)


def test_switches_survive_a_sync(environment: Environment, engine: RecordingEngine, client: Client) -> None:
    function_pause(environment=environment, function_id=row().id)
    function_drain(environment=environment, function_id=row().id)
    sync(client, function(SLUG, name="changed"))
    assert row().version == 2
    assert engine.specs[SLUG].name == "changed"
    assert switches(engine) == (False, True, True)


def test_switches_survive_a_restart(environment: Environment, engine: RecordingEngine) -> None:
    function_pause(environment=environment, function_id=row().id)
    engine.specs.clear()
    publication.republish_all()
    assert switches(engine) == (False, True, False)


def test_switches_survive_archiving(
    environment: Environment, engine: RecordingEngine, client: Client
) -> None:
    function_pause(environment=environment, function_id=row().id)
    apps.app_delete_by_name(environment.id, "shop")
    assert switches(engine) == (True, True, False)
    publication.republish_all()
    assert switches(engine) == (True, True, False)
    sync(client)
    assert switches(engine) == (False, True, False)


def test_an_archived_function_is_only_resumed(environment: Environment, engine: RecordingEngine) -> None:
    function_id = row().id
    function_pause(environment=environment, function_id=function_id)
    apps.app_delete_by_name(environment.id, "shop")
    for switch_on in (function_pause, function_drain):
        with pytest.raises(FunctionArchived, match=r"^function is archived$"):
            switch_on(environment=environment, function_id=function_id)
    function_resume(environment=environment, function_id=function_id)
    assert switches(engine) == (True, False, False)


@pytest.mark.parametrize("service", [function_pause, function_resume, function_drain, function_undrain])
def test_another_environments_function_is_not_found(
    environment: Environment, engine: RecordingEngine, service: Callable[..., Function]
) -> None:
    stranger = Environment.objects.create(account=environment.account, name="other", slug="other")
    published = list(engine.published)
    for tenant, function_id in ((stranger, row().id), (environment, uuid4())):
        with pytest.raises(FunctionNotFound, match=r"^function not found$"):
            service(environment=tenant, function_id=function_id)
    assert (row().paused_at, row().drained_at, engine.published) == (None, None, published)


def test_a_failed_publication_is_mended_by_the_next(
    environment: Environment, engine: RecordingEngine, client: Client
) -> None:
    engine.is_down = True
    with pytest.raises(RedisUnavailable):
        function_pause(environment=environment, function_id=row().id)
    assert row().paused_at is not None
    assert App.objects.get().publish_pending

    engine.is_down = False
    sync(client)
    assert switches(engine) == (False, True, False)
    assert not App.objects.get().publish_pending


def test_a_publication_that_was_overtaken_is_mended(
    environment: Environment, engine: RecordingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause commits and publishes while the publication of a sync is under way."""

    def call(action: Callable[[RecordingEngine], Awaitable[object]]) -> object:
        Function.objects.filter(paused_at=None).update(paused_at=timezone.now())
        return engine.call(action)

    monkeypatch.setattr(bridge, "engine_call", call)
    publication.publish_all_of(App.objects.get().id)
    assert switches(engine) == (False, True, False)
