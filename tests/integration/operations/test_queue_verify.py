"""`manage.py queue verify` tells what is wrong, repairs it when asked, and says so by its exit code."""

from io import StringIO

import pytest
import redis
from django.core.management import call_command

from tests.integration.operations.conftest import OperationsWorld

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

TIMERS = "{q:0}:timers"
NOBODY = "000000000009999"


def verify(*arguments: str) -> tuple[int, list[str]]:
    """(exit code, lines of the output)"""
    out = StringIO()
    try:
        call_command("queue", "verify", *arguments, stdout=out)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue().splitlines()


def test_a_whole_queue(world: OperationsWorld) -> None:
    assert verify() == (0, ["Everything is as it must be."])


def test_what_is_wrong_is_told(world: OperationsWorld, redis_client: "redis.Redis") -> None:
    redis_client.zadd(TIMERS, {NOBODY: 1})
    for _ in range(2):
        assert verify() == (1, ["VIOLATION       COUNT", "timer_dangling  1"])


def test_what_is_wrong_is_repaired(world: OperationsWorld, redis_client: "redis.Redis") -> None:
    redis_client.zadd(TIMERS, {NOBODY: 1})
    assert verify("--repair") == (0, ["VIOLATION       COUNT", "timer_dangling  1      repaired"])
    assert redis_client.hgetall("{q:0}:violations") == {b"timer_dangling": b"1"}
    assert verify()[0] == 0
