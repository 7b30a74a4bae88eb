"""Bulk cancellations: what is refused, what a walk cancels, and that it is not lost (spec 02, 7.9)."""

import pytest

from apps.engine import bridge
from apps.engine.bridge import engine_call
from apps.engine.engine import Engine
from apps.engine.event_stream import EventContext, EventEntry
from apps.engine.store.client import RedisUnavailable
from apps.operations import dispatcher, selectors, tasks
from apps.operations.choices import CancellationCause, CancellationKind, CancellationStatus
from apps.operations.exceptions import CancellationInvalid, CancellationNotFound
from apps.operations.models import Cancellation
from apps.operations.services import cancellation_create, cancellation_delete, walking
from apps.registry.exceptions import FunctionNotFound
from apps.tenancy.models import Environment
from tests.integration.operations.conftest import OperationsWorld, add_runner_group

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def create(world: OperationsWorld, **changes: object) -> Cancellation:
    request: dict[str, object] = {
        "environment": world.environment,
        "app_id": "shop",
        "function_id": "f",
        "started_before": world.now,
    }
    return cancellation_create(**(request | changes))  # type: ignore[arg-type]


def walk(world: OperationsWorld, cancellation: Cancellation) -> Cancellation:
    """One slice of the walk, later than everything that has happened so far."""
    world.advance(1)
    walking.cancellation_walk(cancellation.id)
    cancellation.refresh_from_db()
    return cancellation


def test_a_cancellation_is_stored_as_asked_for(world: OperationsWorld) -> None:
    made = create(world, started_after=5, expression="event.data.n > 1", name="bad deploy")
    assert selectors.cancellation_get(world.environment.id, made.id) == made
    made.refresh_from_db()
    assert (made.environment_id, made.account_id) == (world.environment.id, world.environment.account_id)
    assert (made.function.slug, made.app.name, made.name) == ("shop-f", "shop", "bad deploy")
    assert (made.started_after, made.started_before, made.created_at) == (5, world.now, world.now)
    assert (made.expression, made.kind, made.cause, made.status) == (
        "event.data.n > 1",
        CancellationKind.BULK_RUN,
        CancellationCause.API,
        CancellationStatus.RUNNING,
    )


@pytest.mark.parametrize("function_id", ["f", "shop-f"])
def test_a_function_is_named_by_its_id_or_its_slug(world: OperationsWorld, function_id: str) -> None:
    assert create(world, function_id=function_id).function_id == world.function_id("shop-f")


ORDER = "started_after must be before started_before"
REQUIRED = "app_id is required\nfunction_id is required\nstarted_before is required"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"app_id": "", "function_id": "", "started_before": None}, REQUIRED),
        ({"function_id": ""}, "function_id is required"),
        ({"started_before": None}, "started_before is required"),
        ({"started_before": 2**50}, "started_before must be in the past"),
        ({"started_after": 9, "started_before": 9}, ORDER),
        (
            {"app_id": "", "started_after": 2**51, "started_before": 2**50},
            f"app_id is required\nstarted_before must be in the past\n{ORDER}",
        ),
        ({"expression": "nope == 1"}, "invalid expression: undeclared reference to 'nope'"),
        ({"expression": "async.data.a == 1"}, "invalid expression: undeclared reference to 'async'"),
    ],
)
def test_what_is_refused(world: OperationsWorld, changes: dict[str, object], message: str) -> None:
    with pytest.raises(CancellationInvalid) as caught:
        create(world, **changes)
    assert str(caught.value).startswith(message)
    assert str(caught.value).count("\n") == message.count("\n")
    assert not Cancellation.objects.exists()


def test_a_clock_that_is_a_little_ahead_is_tolerated(world: OperationsWorld) -> None:
    assert create(world, started_before=world.now + 5_000).started_before == world.now + 5_000
    with pytest.raises(CancellationInvalid, match=r"^started_before must be in the past$"):
        create(world, started_before=world.now + 5_001)


@pytest.mark.parametrize(
    "changes", [{"app_id": "nope"}, {"function_id": "nope"}, {"function_id": "shop-shop-f"}]
)
def test_an_unknown_function_is_not_found(world: OperationsWorld, changes: dict[str, object]) -> None:
    with pytest.raises(FunctionNotFound, match=r"^function not found$"):
        create(world, **changes)


def test_another_environment_sees_and_stops_nothing(world: OperationsWorld, stranger: Environment) -> None:
    made = create(world)
    with pytest.raises(FunctionNotFound, match=r"^function not found$"):
        create(world, environment=stranger)
    with pytest.raises(CancellationNotFound):
        cancellation_delete(environment=stranger, cancellation_id=made.id)
    assert selectors.cancellation_list(stranger.id, limit=10) == []
    assert selectors.cancellation_get(stranger.id, made.id) is None
    made.refresh_from_db()
    assert made.status == CancellationStatus.RUNNING


def test_every_live_run_of_the_function_is_cancelled(world: OperationsWorld) -> None:
    other = world.start(slug="shop-g")
    queued, running, sleeping = (world.start() for _ in range(3))
    by_run = {leased.item.run_id: leased.item for leased in world.lease()}
    world.commit(by_run[sleeping], "Z", "s", world.now + 60_000, "0", b"")
    cancellation = walk(world, create(world))

    reason = f"cancellation {cancellation.id}"
    assert world.ended() == dict.fromkeys((queued, running, sleeping), ("Cancelled", reason))
    assert (world.live("shop-f"), world.live("shop-g")) == ([], [other])
    assert world.commit(by_run[running], "S", "step", b'{"data":1}', "0") == "ended"
    assert (cancellation.status, cancellation.matched, cancellation.cancelled, cancellation.finished_at) == (
        CancellationStatus.FINISHED,
        3,
        3,
        world.now,
    )


def test_the_window_has_both_its_ends(world: OperationsWorld) -> None:
    runs = []
    for _ in range(5):
        runs.append(world.start())
        world.advance(1_000)
    first = world.now - 5_000
    made = create(world, started_after=first + 1_000, started_before=first + 3_000, name="window")
    made = walk(world, made)
    assert made.status == CancellationStatus.FINISHED
    reason = f"window (cancellation {made.id})"
    assert world.ended() == dict.fromkeys(runs[1:4], ("Cancelled", reason))
    assert world.live() == [runs[0], runs[4]]


def test_the_expression_decides_by_the_first_event(world: OperationsWorld) -> None:
    runs = [world.start(b'{"n":%d}' % n) for n in range(4)]
    made = walk(world, create(world, expression="event.data.n >= 2"))
    assert (set(world.ended()), world.live(), made.matched) == ({runs[2], runs[3]}, runs[:2], 2)


def test_a_walk_goes_on_after_a_crash(world: OperationsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies within its third batch; the cancellation falls due again and loses no run."""
    monkeypatch.setattr(walking, "BATCH", 3)
    keep = {world.start(b'{"keep":true}') for _ in range(4)}
    runs = {world.start() for _ in range(10)}
    made = create(world, expression="event.data.keep != true")
    calls: list[int] = []

    def die(action: object) -> object:
        calls.append(1)
        if len(calls) == 3:
            raise RedisUnavailable("killed")
        return engine_call(action)  # type: ignore[arg-type]

    monkeypatch.setattr(bridge, "engine_call", die)
    with pytest.raises(RedisUnavailable):
        walk(world, made)
    made.refresh_from_db()
    assert (made.status, made.matched, len(world.live())) == (CancellationStatus.RUNNING, 2, 12)

    assert selectors.due_cancellations(world.now, 10) == []
    world.advance(walking.CLAIM_MS)
    assert selectors.due_cancellations(world.now, 10) == [(made.id, world.now)]
    made = walk(world, made)
    assert (made.status, made.matched, made.cancelled) == (CancellationStatus.FINISHED, 10, 10)
    assert (set(world.ended()), set(world.live())) == (runs, keep)


def test_a_slice_ends_and_leaves_the_rest(world: OperationsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 2)
    monkeypatch.setattr(walking, "SLICE_SECONDS", 0)
    runs = [world.start() for _ in range(5)]
    made = walk(world, create(world))
    assert (made.status, made.matched, world.live()) == (CancellationStatus.RUNNING, 2, runs[2:])
    assert selectors.due_cancellations(world.now, 10) == [(made.id, world.now)]
    slices = 1
    while made.status == CancellationStatus.RUNNING:
        made, slices = walk(world, made), slices + 1
    assert (made.cancelled, world.live(), slices) == (5, [], 4)


def test_a_deleted_one_stops_and_revives_nothing(
    world: OperationsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "BATCH", 2)
    monkeypatch.setattr(walking, "SLICE_SECONDS", 0)
    runs = [world.start() for _ in range(4)]
    made = walk(world, create(world))
    cancellation_delete(environment=world.environment, cancellation_id=made.id)
    assert (selectors.cancellation_list(world.environment.id, limit=9), world.live()) == ([], runs[2:])
    assert walk(world, made).status == CancellationStatus.DELETED
    assert world.live() == runs[2:]
    assert selectors.due_cancellations(world.now, 10) == []
    with pytest.raises(CancellationNotFound, match=r"^Cancellation not found$"):
        cancellation_delete(environment=world.environment, cancellation_id=made.id)


def test_who_lost_the_claim_stores_nothing(world: OperationsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stalled within a batch meets its successor's claim."""
    made = create(world)
    world.start()
    done: list[str] = []

    def stall(action: object) -> object:
        if not done:
            done.append("")
            walking.cancellation_walk(made.id)
            done[0] = Cancellation.objects.get(id=made.id).status
            Cancellation.objects.filter(id=made.id).update(status=CancellationStatus.RUNNING)
        return engine_call(action)  # type: ignore[arg-type]

    monkeypatch.setattr(bridge, "engine_call", stall)
    made = walk(world, made)
    assert done == [CancellationStatus.FINISHED]
    assert (made.status, made.matched) == (CancellationStatus.RUNNING, 1)


async def accept_an_event(engine: Engine) -> None:
    await add_runner_group(engine)
    await engine.append_events([EventEntry("01I", "env", "acc", "a", b"{}", EventContext())])


async def skip_the_event(engine: Engine) -> None:
    await engine.client.execute("DEL", engine.keys.events)


def test_a_walk_waits_for_events_that_the_runner_still_has(world: OperationsWorld) -> None:
    """What was accepted in the window and starts later is cancelled too."""
    world.now = 2_000_000_000_000  # entries of streams are dated by the server
    engine_call(accept_an_event)
    made = walk(world, create(world))
    assert made.status == CancellationStatus.RUNNING
    assert selectors.due_cancellations(world.now, 10) == []
    assert selectors.due_cancellations(world.now + walking.RUNNER_WAIT_MS, 10) == [
        (made.id, world.now + walking.RUNNER_WAIT_MS)
    ]
    world.now -= 1
    late = world.start()
    world.advance(1)
    engine_call(skip_the_event)
    assert walk(world, made).status == CancellationStatus.FINISHED
    assert set(world.ended()) == {late}


def test_each_unfinished_one_is_sent_to_one_worker(
    world: OperationsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.cancellation_walk, "apply_async", lambda args, **options: sent.append(args[0]))
    made = [create(world).id for _ in range(2)]
    assert dispatcher.dispatch_due() == made
    assert dispatcher.dispatch_due() == []
    world.advance(walking.CLAIM_MS)
    assert dispatcher.dispatch_due() == made
    assert sent == made * 2


def test_the_task_walks(world: OperationsWorld) -> None:
    world.start()
    made = create(world)
    world.advance(1)
    tasks.cancellation_walk.apply((made.id,))
    made.refresh_from_db()
    assert (made.status, world.live()) == (CancellationStatus.FINISHED, [])


def test_lists_are_newest_first_and_in_pages(world: OperationsWorld) -> None:
    made: list[Cancellation] = []
    for slug in ("f", "g", "f"):
        made.insert(0, create(world, function_id=slug))
        world.advance(1)
    env_id = world.environment.id
    assert selectors.cancellation_list(env_id, limit=2) == made[:2]
    assert selectors.cancellation_list(env_id, limit=2, before=made[1].id) == made[2:]
    of_f = selectors.cancellation_list(env_id, limit=9, function_id=world.function_id("shop-f"))
    assert of_f == [made[0], made[2]]
