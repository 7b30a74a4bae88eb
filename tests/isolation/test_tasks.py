"""What runs in the background: for one environment's work, nothing of the others changes (spec 05, 1.12)."""

import ast
import inspect
from collections.abc import Callable, Mapping
from typing import Final

import pytest
import redis
from django.utils import timezone

from apps.operations.models import Cancellation
from apps.operations.services import walking
from apps.tenancy.models import Environment, EnvironmentType
from apps.tenancy.services.archiving import archive_due
from apps.tenancy.services.environments import branch_resolve
from config import roles
from config.celery import app as celery_app
from tests.isolation import snapshot
from tests.isolation.cast import Place, Stage
from tests.isolation.endpoints import missing


def _walk(place: Place) -> None:
    Cancellation.objects.filter(id=place.cancellation_id).update(
        started_before=int(timezone.now().timestamp() * 1000), due_at=0
    )
    walking.cancellation_walk(place.cancellation_id)


def _archive(place: Place) -> None:
    """A branch of the place's organisation falls due."""
    parent = place.account.environments.get(type=EnvironmentType.BRANCH_PARENT)
    branch = branch_resolve(parent=parent, name="due", may_create=True, unarchives=False)
    Environment.objects.filter(id=branch.id).update(auto_archive_at=timezone.now())
    archive_due()
    assert Environment.objects.exclude(archived_at=None).get().id == branch.id


# Each Celery task, with a way to make it work for one place.
TASKS: Final[Mapping[str, Callable[[Place], None]]] = {"operations.cancellation_walk": _walk}

# Each service of a scheduler or worker: a way to make it work for one place, or where it is shown that its
# work stays in the environment that each entry of its queue or row names.
SERVICES: Final[Mapping[str, Callable[[Place], None] | str]] = {
    "AfterRecovery": "tests/integration/engine/test_fairness.py",
    "Recovery": "tests/integration/recovery/test_recovery.py",
    "TimerService": "tests/integration/engine/test_timers.py",
    "Reaper": "tests/integration/engine/test_reaper.py",
    "HistoryWriter": "tests/integration/history/test_selectors.py",
    "AppPoller": "tests/integration/registry/test_discovery.py",
    "Dispatcher": "tests/integration/operations/test_cancellations.py",
    "Keeper": _archive,
    "AuditStreamer": "tests/integration/audit/test_sinks.py",
}


def _services_of_schedulers() -> set[str]:
    """The classes that `_scheduler` returns instances of."""
    tree = ast.parse(inspect.getsource(roles._scheduler))
    (answer,) = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    assert isinstance(answer.value, ast.List)
    calls = [element for element in answer.value.elts if isinstance(element, ast.Call)]
    return {ast.unparse(call.func) for call in calls}


def test_every_task_has_a_case() -> None:
    celery_app.loader.import_default_modules()
    found = {name for name in celery_app.tasks if not name.startswith("celery.")}
    advice = "Add it to TASKS in tests/isolation/test_tasks.py: how to make it work for one place."
    assert not (text := missing(found, set(TASKS), advice)), text


def test_every_service_has_a_case() -> None:
    advice = "Add it to SERVICES in tests/isolation/test_tasks.py."
    assert not (text := missing(_services_of_schedulers(), set(SERVICES), advice)), text


WORK = {**TASKS, **{name: act for name, act in SERVICES.items() if callable(act)}}


@pytest.mark.parametrize("name", WORK)
def test_the_others_stay_as_they_are(stage: Stage, queue: "redis.Redis", name: str) -> None:
    all_before = snapshot.rows()
    before, keys_before = _of_others(stage), snapshot.keys(queue)
    WORK[name](stage.staging)
    keys = snapshot.keys(queue)
    changed = [key.decode() for key in keys | keys_before if keys.get(key) != keys_before.get(key)]
    assert snapshot.rows() != all_before, "it did nothing"
    assert _of_others(stage) == before
    for other in (stage.production, stage.globex):
        named = (other.run_id, other.env_id, str(other.function.id))
        assert not [key for key in changed if any(word in key for word in named)]


def _of_others(stage: Stage) -> dict[str, list[str]]:
    """The rows that name another place."""
    words = [word for other in (stage.production, stage.globex) for word in (other.env_id, other.marker)]
    words += [word.replace("-", "") for word in words]
    return {
        table: found
        for table, rows in snapshot.rows().items()
        if (found := [text for row in rows if any(word in (text := repr(row)) for word in words)])
    }
