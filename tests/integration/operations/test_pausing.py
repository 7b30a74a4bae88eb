"""Pausing, end to end on a real queue (spec 02, 12.3)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from apps.operations.choices import CancellationCause, CancellationStatus
from apps.operations.models import Cancellation
from apps.operations.services import function_drain, function_pause, function_resume, walking
from apps.operations.services.pausing import expire_pauses
from apps.registry.exceptions import FunctionNotFound
from apps.registry.models import Function
from apps.tenancy.models import Environment
from tests.integration.operations.conftest import OperationsWorld

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_runs_of_a_paused_function_wait_and_go_on(world: OperationsWorld) -> None:
    """The request under way is finished and its result kept; nothing further is sent until the resume."""
    under_way = world.start()
    (leased,) = world.lease()
    queued = world.start()
    function_pause(environment=world.environment, function_id=world.function_id())

    assert world.commit(leased.item, "S", "step", b'{"data":1}', "0") == "ok"
    assert world.lease() == []
    assert world.live() == [under_way, queued]
    assert not Cancellation.objects.exists()

    function_resume(environment=world.environment, function_id=world.function_id())
    again = {found.item.run_id: found for found in world.lease()}
    assert set(again) == {under_way, queued}
    assert again[under_way].state.memos == {"step": b'{"data":1}'}


def test_a_neighbour_is_not_paused(world: OperationsWorld) -> None:
    world.start()
    other = world.start(slug="shop-g")
    function_pause(environment=world.environment, function_id=world.function_id("shop-f"))
    assert [leased.item.run_id for leased in world.lease()] == [other]


def test_runs_are_cancelled_at_once_where_asked(world: OperationsWorld) -> None:
    runs = [world.start() for _ in range(3)]
    other = world.start(slug="shop-g")
    function_pause(environment=world.environment, function_id=world.function_id(), cancels_running=True)
    made = Cancellation.objects.get()
    assert (made.cause, made.kind, made.expression) == (CancellationCause.MANUAL, "bulk_run", "")

    world.advance(1)
    walking.cancellation_walk(made.id)
    reason = f"function paused (cancellation {made.id})"
    assert world.ended() == dict.fromkeys(runs, ("Cancelled", reason))
    assert (world.live(), world.live("shop-g")) == ([], [other])


def test_a_pause_has_one_cancellation(world: OperationsWorld) -> None:
    world.now = int(timezone.now().timestamp() * 1000) + 1_000
    function_id = world.function_id()
    function_pause(environment=world.environment, function_id=function_id)
    for _ in range(2):
        function_pause(environment=world.environment, function_id=function_id, cancels_running=True)
    assert Cancellation.objects.count() == 1
    function_resume(environment=world.environment, function_id=function_id)
    Function.objects.filter(id=function_id).update(paused_at=timezone.now() + timedelta(seconds=2))
    world.advance(5_000)
    function_pause(environment=world.environment, function_id=function_id, cancels_running=True)
    assert Cancellation.objects.count() == 2


def test_runs_of_a_drained_function_go_on(world: OperationsWorld) -> None:
    run_id = world.start()
    function_drain(environment=world.environment, function_id=world.function_id())
    assert [leased.item.run_id for leased in world.lease()] == [run_id]


def test_another_environments_function_is_not_found(world: OperationsWorld, stranger: Environment) -> None:
    world.start()
    for tenant, function_id in ((stranger, world.function_id()), (world.environment, uuid4())):
        with pytest.raises(FunctionNotFound, match=r"^function not found$"):
            function_pause(environment=tenant, function_id=function_id, cancels_running=True)
    assert (Cancellation.objects.count(), len(world.lease())) == (0, 1)


def age_pause(world: OperationsWorld, **age: int) -> None:
    Function.objects.filter(id=world.function_id()).update(paused_at=timezone.now() - timedelta(**age))


def test_a_pause_that_lasts_too_long_cancels_its_runs(world: OperationsWorld) -> None:
    run_id = world.start()
    function_pause(environment=world.environment, function_id=world.function_id())
    age_pause(world, days=6, hours=23)
    assert expire_pauses() == 0
    age_pause(world, days=7, seconds=1)
    assert expire_pauses() == 1
    assert expire_pauses() == 0

    made = Cancellation.objects.get()
    world.advance(1)
    walking.cancellation_walk(made.id)
    reason = f"function paused for more than 7 days (cancellation {made.id})"
    assert world.ended() == {run_id: ("Cancelled", reason)}
    made.refresh_from_db()
    assert (made.cause, made.status) == (CancellationCause.NONE, CancellationStatus.FINISHED)
    assert expire_pauses() == 0


def test_a_long_pause_without_runs_needs_nothing(world: OperationsWorld) -> None:
    function_pause(environment=world.environment, function_id=world.function_id())
    age_pause(world, days=8)
    assert expire_pauses() == 0
