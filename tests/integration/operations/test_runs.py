"""Cancelling many runs by their ids."""

import pytest

from apps.engine.records import RunEnded
from apps.operations.exceptions import TooManyRuns
from apps.operations.services import runs, runs_cancel
from apps.runs.services import CancelResult
from apps.tenancy.models import Environment
from tests.integration.history.life import scheduled
from tests.integration.history.seed import write
from tests.integration.operations.conftest import OperationsWorld

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_each_id_has_a_result(world: OperationsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_BATCH", 2)
    first, second = world.start(), world.start()
    done, stopped = "01M8488PZN38TBQW5R170FD360", "01M8488PZN38TBQW5R170FD361"
    for run_id, status in ((done, "Completed"), (stopped, "Cancelled")):
        write(scheduled(run_id), RunEnded(run_id, status, 5))
    ids = [first, done, "01NONE", second, first, stopped]
    assert runs_cancel(environment=world.environment, run_ids=ids, reason="user") == {
        first: CancelResult.CANCELLED,
        done: CancelResult.ALREADY_ENDED,
        "01NONE": None,
        second: CancelResult.CANCELLED,
        stopped: CancelResult.ALREADY_CANCELLED,
    }
    assert world.ended() == dict.fromkeys((first, second), ("Cancelled", "user"))


def test_runs_of_another_environment_are_unknown(world: OperationsWorld, stranger: Environment) -> None:
    run_id = world.start()
    write(scheduled(run_id))
    assert runs_cancel(environment=stranger, run_ids=[run_id], reason="user") == {run_id: None}
    assert world.live() == [run_id]


def test_too_many_are_refused(world: OperationsWorld) -> None:
    run_id = world.start()
    ids = [run_id, *(f"01{number}" for number in range(1_000))]
    with pytest.raises(TooManyRuns, match=r"^at most 1000 runs can be cancelled at once$"):
        runs_cancel(environment=world.environment, run_ids=ids, reason="user")
    assert world.live() == [run_id]
