"""What an archived environment means to the queue: nothing starts, what was queued goes on."""

from typing import Any
from uuid import UUID

import pytest
import redis

from apps.engine.bridge import engine_call
from apps.engine.records import RunScheduled, decode_records
from apps.engine.store.requests import RerunRequest
from apps.registry import configuration
from apps.registry.models import Function
from apps.registry.services import syncing
from apps.registry.validation import RegistrationError
from apps.tenancy.models import Environment
from apps.tenancy.services import publish_all_shares
from apps.tenancy.services.environments import (
    branch_resolve,
    environment_archive,
    environment_create,
    environment_set_weight,
    environment_unarchive,
)
from tests.integration.tenancy.cast import Cast, as_actor
from tests.unit.registry.bodies import function, register_body


def sync(environment: Environment) -> Function:
    body = register_body(function("shop-f"))
    result = syncing.registration_receive(environment.id, body, configuration.sync_policy())
    assert isinstance(result, syncing.SyncResult)
    return Function.objects.get(environment=environment)


def start(environment: Environment, function_id: UUID) -> str:
    event = b'{"data":{},"id":"e","name":"a","ts":1,"user":{}}'
    request = RerunRequest(str(environment.id), str(function_id), [event], ["01E"], ["a"], "")
    return engine_call(lambda engine: engine.rerun(request))


def is_live(environment: Environment, run_id: str) -> bool:
    return engine_call(lambda engine: engine.is_live(str(environment.id), run_id))


def skipped(queue: redis.Redis) -> dict[str, str]:
    """Reasons by run, of the history that waits to be written."""
    raw = redis.Redis.from_url(f"redis://127.0.0.1:{queue.connection_pool.connection_kwargs['port']}/0")
    with raw:
        entries: Any = raw.xrange("{q:0}:history")
    records = [record for _, fields in entries for record in decode_records(fields[b"d"])]
    scheduled = [record for record in records if isinstance(record, RunScheduled)]
    return {record.run_id: record.skip_reason for record in scheduled if record.skip_reason}


@pytest.fixture
def staging(racing_cast: Cast) -> Environment:
    return environment_create(account=racing_cast.acme, name="Staging", actor=as_actor(racing_cast.alice))


def node(environment: Environment) -> str:
    return f"{{q:0}}:n:e:{environment.id}"


def test_nothing_starts_and_what_was_queued_goes_on(
    racing_cast: Cast, staging: Environment, queue: redis.Redis
) -> None:
    target = sync(staging)
    before = start(staging, target.id)
    environment_archive(environment=staging, actor=as_actor(racing_cast.alice))
    refused = start(staging, target.id)
    assert (is_live(staging, before), is_live(staging, refused)) == (True, False)
    assert skipped(queue) == {refused: "environment_archived"}
    [leased] = engine_call(lambda engine: engine.queue.lease(20)).leased
    assert leased.item.run_id == before
    environment_unarchive(environment=staging, actor=as_actor(racing_cast.alice))
    after = start(staging, target.id)
    assert is_live(staging, after)


def test_crons_rest_and_go_on(racing_cast: Cast, staging: Environment, queue: redis.Redis) -> None:
    target = sync(staging)
    member = f"{target.id}|* * * * *"

    def fire(tick: int) -> int:
        queue.zadd("{q:0}:cron", {member: tick})
        return int(
            engine_call(
                lambda engine: engine.queue.library.call("cron_fire", member, tick, tick + 60, "i", "x")
            )
        )

    environment_archive(environment=staging, actor=as_actor(racing_cast.alice))
    assert fire(60) == 0
    assert queue.zscore("{q:0}:cron", member) == 120
    assert queue.xlen("{q:0}:events") == 0
    environment_unarchive(environment=staging, actor=as_actor(racing_cast.alice))
    assert fire(180) == 1
    assert queue.xlen("{q:0}:events") == 1


def test_weight_and_rest_reach_the_queue_and_come_back_after_a_loss(
    racing_cast: Cast, staging: Environment, queue: redis.Redis
) -> None:
    account = f"a:{racing_cast.acme.id}"
    assert queue.hgetall(node(staging)) == {"p": account, "w": "1"}
    environment_set_weight(environment=staging, weight=7, actor=as_actor(racing_cast.alice))
    environment_archive(environment=staging, actor=as_actor(racing_cast.alice))
    assert queue.hgetall(node(staging)) == {"p": account, "w": "7", "ar": "1"}
    queue.flushall()
    publish_all_shares()
    assert queue.hgetall(node(staging)) == {"p": account, "w": "7", "ar": "1"}
    environment_unarchive(environment=staging, actor=as_actor(racing_cast.alice))
    assert queue.hgetall(node(staging)) == {"p": account, "w": "7"}


def test_a_sync_is_refused_but_of_a_branch(racing_cast: Cast, staging: Environment) -> None:
    environment_archive(environment=staging, actor=as_actor(racing_cast.alice))
    body = register_body(function("shop-f"))
    refused = syncing.registration_receive(staging.id, body, configuration.sync_policy())
    assert isinstance(refused, RegistrationError)
    assert refused.code == "env_archived"
    assert Function.objects.filter(environment=staging).count() == 0
    parent = racing_cast.environment("branch")
    feature = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=True)
    environment_archive(environment=feature, actor=as_actor(racing_cast.alice))
    feature = branch_resolve(parent=parent, name="feature", may_create=True, unarchives=True)
    target = sync(feature)
    assert is_live(feature, start(feature, target.id))
