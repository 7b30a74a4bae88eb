"""`manage.py rebuild_queue` puts back what the database says has not ended, and tells what it did."""

from io import StringIO

import pytest
import redis
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.engine.protocol import ids
from apps.engine.records import RunScheduled
from apps.runs.recovery import drained
from tests.integration.history.life import event
from tests.integration.history.seed import write, write_event
from tests.integration.operations.conftest import OperationsWorld

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EMPTY = "live 0, restored 0, failed 0, events 0, keys 0"


def rebuild(*arguments: str) -> tuple[int, str, str]:
    """(exit code, output, errors)"""
    out, err = StringIO(), StringIO()
    try:
        call_command("rebuild_queue", *arguments, stdout=out, stderr=err)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue().strip(), err.getvalue().strip()


@pytest.fixture
def run_id(world: OperationsWorld) -> str:
    """A run that history knows, and the queue does not."""
    entry, stream_id = event(), f"{world.now}-0"
    function_id = str(world.function_id())
    run_id = ids.entry_ulid(stream_id, function_id)
    write_event(stream_id, entry)
    write(
        RunScheduled(
            run_id=run_id,
            account_id=entry.account_id,
            env_id=entry.env_id,
            app_id=function_id,
            function_id=function_id,
            function_version=1,
            queued_at=world.now,
            scheduled_at=world.now,
            event_ids=[entry.internal_id],
            event_name=entry.name,
        )
    )
    return run_id


def test_an_emptied_queue_is_rebuilt(
    world: OperationsWorld, run_id: str, redis_client: "redis.Redis"
) -> None:
    redis_client.flushall()
    told = "live 0, restored 1, failed 0, events 1, keys 0"
    assert rebuild("--dry-run") == (0, f"would be: {told}", "")
    assert not redis_client.exists(f"{{q:0}}:run:{run_id}", "{q:0}:epoch")
    assert rebuild() == (0, told, "")
    assert redis_client.exists("{q:0}:epoch") == 1
    (leased,) = world.lease()
    assert (leased.item.run_id, leased.item.kind) == (run_id, "start")
    # Its event had no outcome, and started nothing more.
    assert world.live() == [run_id]


def test_a_queue_without_runs(world: OperationsWorld) -> None:
    assert rebuild() == (0, EMPTY, "")


def test_history_that_is_not_written_is_an_error(
    world: OperationsWorld, run_id: str, monkeypatch: pytest.MonkeyPatch, redis_client: "redis.Redis"
) -> None:
    async def never(*args: object) -> bool:
        return False

    redis_client.xadd("{q:0}:history", {"d": b"\x90"})
    monkeypatch.setattr(drained, "_is_stored", never)
    monkeypatch.setattr(drained.wait_until_drained, "__defaults__", (0.1,))
    assert rebuild() == (1, "", "Error: history was not written within 0.1 s")


def test_an_absent_redis_is_told(settings: Settings, db: None) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    code, _, problem = rebuild("--dry-run")
    assert code == 3
    assert problem.startswith("Error: Redis is not reachable: cannot connect to 127.0.0.1")
