"""`manage.py queue inspect`: tables for people, JSON for programs, exit codes for scripts."""

import json
import re
import uuid
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from apps.engine.bridge import engine_call
from apps.engine.functions import decode_spec
from apps.operations.queues import queue_of_function, queue_of_shard
from apps.operations.services import function_pause
from apps.registry.models import Function
from apps.tenancy.models import DEV_ACCOUNT_ID, Environment
from tests.integration.operations.conftest import OperationsWorld

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def inspect(*arguments: str) -> tuple[int, str, str]:
    """(exit code, output, errors)"""
    out, err = StringIO(), StringIO()
    try:
        call_command("queue", "inspect", *arguments, stdout=out, stderr=err)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def facts(output: str) -> dict[str, str]:
    """The lines above the first empty one: name and value."""
    lines = output.split("\n\n")[0].splitlines()
    return dict(re.split(r"\s{2,}", line.strip(), maxsplit=1) for line in lines)


def as_json(*arguments: str) -> Any:
    code, out, err = inspect(*arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_function(world: OperationsWorld) -> None:
    run_id = world.start()
    world.start()
    world.advance(2_500)
    code, out, err = inspect("--function", "shop-f")
    assert (code, err) == (0, "")
    assert facts(out) == {
        "function": f"shop-f ({world.function_id()})",
        "state": "active",
        "blocked by": "nothing",
        "depth": "2 (2 without keys, 0 steps and 0 starts with; key queues: 0)",
        "in flight": "0",
        "account": "0 of 1,000",
        "live runs": "2",
        "first": f"run {run_id}, waiting 2.5 s",
    }


def test_a_function_by_its_id_as_json(world: OperationsWorld) -> None:
    world.start()
    function_pause(environment=world.environment, function_id=world.function_id())
    found = as_json("--function", str(world.function_id()))
    assert (found["slug"], found["depth"], found["is_paused"]) == ("shop-f", 1, True)
    assert found["blocked_by"] == {"kind": "paused"}


def test_key_queues_come_in_pages(world: OperationsWorld) -> None:
    throttled(world)
    for customer in ("c1", "c1", "c2", "c3"):
        world.start(b'{"c":"%b"}' % customer.encode())
    assert len(world.lease()) == 3
    world.advance(10_000)
    _, out, _ = inspect("--function", "shop-f")
    assert out.split("\n\n")[1].splitlines() == [
        "KEY QUEUE          STEPS  STARTS  WAITING  BLOCKED BY",
        "event.data.c = c1  0      1       10.0 s   throttle, opens in 50.0 s",
    ]
    for customer in ("c2", "c3"):
        world.start(b'{"c":"%b"}' % customer.encode())
    first = as_json("--function", "shop-f", "--limit", "2")
    last = as_json("--function", "shop-f", "--limit", "2", "--cursor", first["cursor"])
    assert len(first["keys"]) == 2
    assert (len(last["keys"]), last["cursor"]) == (1, "")
    _, out, _ = inspect("--function", "shop-f", "--limit", "2")
    assert out.rstrip().endswith(f"There are more: --cursor '{first['cursor']}'")


def throttled(world: OperationsWorld) -> None:
    row = Function.objects.get(slug="shop-f")
    spec = json.loads(row.spec) | {
        "throttle": {"limit": 1, "period_ms": 60_000, "burst": 0, "key": "event.data.c"},
        "version": row.version + 1,
    }
    engine_call(lambda engine: engine.publish_functions([decode_spec(json.dumps(spec).encode())]))


def test_an_account(world: OperationsWorld) -> None:
    world.start()
    world.start()
    assert len(engine_call(lambda engine: engine.queue.lease(1)).leased) == 1
    _, out, _ = inspect("--account", str(DEV_ACCOUNT_ID))
    assert facts(out) == {
        "account": str(DEV_ACCOUNT_ID),
        "depth": "1",
        "in flight": "1 of 1,000 (the default)",
        "weight": "1",
        "live runs": "2",
        "functions": "1 with work, 0 blocked",
    }
    assert out.split("\n\n")[1].splitlines() == [
        "FUNCTION  DEPTH  IN FLIGHT  WAITING  BLOCKED BY",
        "shop-f    1      1          0.0 s    nothing",
    ]


def test_the_shard_is_the_default(world: OperationsWorld) -> None:
    world.start()
    _, out, _ = inspect()
    found = facts(out)
    assert (found["ready"], found["live runs"], found["functions"]) == ("1", "1", "2")
    assert out == inspect("--shard")[1]
    assert as_json()["library"] == queue_of_shard().library


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--function", "nope"), "Error: the queue has no such function\n"),
        (("--function", str(uuid.uuid4())), "Error: the queue has no such function\n"),
        (("--account", str(uuid.uuid4())), "Error: the queue has no such account\n"),
        (("--function", "shop-f", "--cursor", "x"), "Error: this is no cursor of key queues\n"),
    ],
)
def test_what_is_not_there(world: OperationsWorld, arguments: tuple[str, ...], problem: str) -> None:
    assert inspect(*arguments) == (1, "", problem)


def test_another_environments_function_is_not_there(world: OperationsWorld, stranger: Environment) -> None:
    world.start()
    assert queue_of_function(stranger.id, world.function_id()) is None
    assert inspect("--function", "shop-f", "--environment", str(stranger.id))[0] == 1


def test_while_redis_is_away(world: OperationsWorld, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    code, out, err = inspect()
    assert (code, out) == (3, "")
    assert err.startswith("Error: Redis is not reachable: ")
