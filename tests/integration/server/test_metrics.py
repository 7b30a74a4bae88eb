"""`GET /metrics`: who may read it, what it tells, and where that comes from."""

import asyncio
import time
from collections.abc import Iterator

import msgspec
import pytest
import redis
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from apps.devserver.embedded import free_port
from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.store.client import RedisClient, RedisUnavailable
from apps.engine.telemetry import Counters
from apps.engine.telemetry_sender import STALE_MS, ProcessSample, TelemetrySender
from apps.identity.models import User
from apps.server.metrics import views

pytestmark = pytest.mark.django_db

KEYS = Keys("0")
TOKEN = "a-token-for-metrics"


@pytest.fixture
def client(redis_url: str, settings: Settings) -> Iterator[Client]:
    settings.REDIS_URL = redis_url
    settings.STEPWELL_MODE = "server"
    settings.STEPWELL_METRICS_TOKEN = TOKEN
    views._page.forget()
    yield Client()
    views._page.forget()


def samples(client: Client) -> dict[str, float]:
    """Each sample by its name with its labels, as in the text."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def run(redis_url: str, role: str, counters: Counters) -> None:
    """A process that lives for a moment."""

    async def live() -> None:
        client, stop = RedisClient(redis_url), asyncio.Event()
        stop.set()
        await TelemetrySender(client, KEYS, role, counters).run(stop)
        await client.close()
        await asyncio.sleep(0)  # the loop closes the connection in its next turn

    asyncio.run(live())


def status(client: Client, token: str = "") -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get("/metrics", headers=headers).status_code


def test_only_the_token_and_operators_read_it(client: Client) -> None:
    answer = client.get("/metrics")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert status(client, "wrong") == 401
    assert status(client, TOKEN) == 200
    member = User.objects.create_user("member@example.com", "long password 1")
    client.force_login(member)
    assert status(client) == 401
    client.force_login(User.objects.create_superuser("root@example.com", "long password 2"))
    assert status(client) == 200
    assert status(client, "wrong") == 401


def test_without_a_token_no_token_opens_it(client: Client, settings: Settings) -> None:
    settings.STEPWELL_METRICS_TOKEN = ""
    assert status(client, TOKEN) == 401


def test_dev_mode_asks_for_nothing(client: Client, settings: Settings) -> None:
    settings.STEPWELL_MODE = "dev"
    assert status(client) == 200


def test_an_empty_installation(client: Client) -> None:
    found = samples(client)
    assert found["inngest_queue_depth"] == found["stepwell_queue_depth"] == 0
    assert found["stepwell_queue_oldest_seconds"] == 0
    assert found["stepwell_call_seconds_bucket{le=+Inf}"] == found["stepwell_call_seconds_count"] == 0


def test_counters_of_all_processes_add_up(client: Client, redis_url: str) -> None:
    for count in (2, 3):
        counters = Counters()
        counters.add("events:accepted", count)
        counters.add_all({"calls:answered": 1, "call_seconds:4": 1, "call_seconds:sum": 0.25})
        counters.add("refused:401")
        counters.add("runs:completed", count)
        counters.add("steps:errored")
        run(redis_url, "worker", counters)
    found = samples(client)
    assert found["stepwell_events_total{status=accepted}"] == 5
    assert found["stepwell_refused_requests_total{status=401}"] == 2
    assert found["stepwell_runs_total{status=completed}"] == 5
    assert found["stepwell_steps_total{status=errored}"] == 2
    assert found["stepwell_calls_total{outcome=answered}"] == 2
    assert found["stepwell_call_seconds_bucket{le=0.05}"] == 0
    assert found["stepwell_call_seconds_bucket{le=0.1}"] == found["stepwell_call_seconds_count"] == 2
    assert found["stepwell_call_seconds_sum"] == 0.5


def test_violations_and_streams(client: Client, redis_client: "redis.Redis") -> None:
    redis_client.hset(KEYS.violations, "run_lost", "4")
    for _ in range(3):
        redis_client.xadd(KEYS.history, {"d": b"x"})
    redis_client.xgroup_create(KEYS.history, "history", id="0")
    redis_client.xreadgroup("history", "one", {KEYS.history: ">"}, count=1)
    found = samples(client)
    assert found["stepwell_violations_total{kind=run_lost}"] == 4
    assert found["stepwell_stream_pending_entries{group=history,stream=history}"] == 1
    assert found["stepwell_stream_lag_entries{group=history,stream=history}"] == 2


def test_processes_that_live(client: Client, redis_client: "redis.Redis") -> None:
    now = clock.now_ms()
    for name, at in (("worker@h:1", now), ("worker@h:2", now - STALE_MS - 1)):
        sample = ProcessSample("worker", name.partition("@")[2], at, 1.5, 1000, 7)
        redis_client.hset(KEYS.processes, name, msgspec.json.encode(sample))
    found = samples(client)
    assert found["stepwell_process_cpu_seconds_total{instance=h:1,role=worker}"] == 1.5
    assert found["stepwell_process_resident_bytes{instance=h:1,role=worker}"] == 1000
    assert found["stepwell_process_open_fds{instance=h:1,role=worker}"] == 7
    assert not [name for name in found if "h:2" in name]
    assert redis_client.hkeys(KEYS.processes) == [b"worker@h:1"]


def test_it_is_made_again_when_it_is_old(client: Client, redis_client: "redis.Redis") -> None:
    assert "stepwell_events_total{status=accepted}" not in samples(client)
    redis_client.hset(KEYS.counters, "events:accepted", "1")
    deadline = time.monotonic() + 10
    while "stepwell_events_total{status=accepted}" not in samples(client):
        assert time.monotonic() < deadline


def test_redis_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"
    assert status(client, TOKEN) == 503


def test_what_redis_does_not_take_is_counted_later() -> None:
    counters = Counters()
    counters.add("events:accepted", 2)
    sender = TelemetrySender(RedisClient(f"redis://127.0.0.1:{free_port()}/0"), KEYS, "web", counters)
    with pytest.raises(RedisUnavailable):
        asyncio.run(sender.flush())
    counters.add("events:accepted")
    assert counters.take() == {"events:accepted": 3}


def test_a_process_that_ends_takes_its_row_with_it(redis_url: str, redis_client: "redis.Redis") -> None:
    run(redis_url, "web", Counters())
    assert redis_client.hlen(KEYS.processes) == 0


def test_the_probe_of_a_container(redis_url: str, redis_client: "redis.Redis") -> None:
    from apps.server.probe import is_role_well

    def is_well(role: str, host: str) -> bool:
        return is_role_well(redis_url, "0", role, host)

    sample = ProcessSample("worker", "host:7", clock.now_ms(), 0, 0, 0)
    redis_client.hset(KEYS.processes, "worker@host:7", msgspec.json.encode(sample))
    assert is_well("worker", "host")
    assert not is_well("worker", "hos")
    assert not is_well("scheduler", "host")
    old = msgspec.structs.replace(sample, at=clock.now_ms() - STALE_MS - 1)
    redis_client.hset(KEYS.processes, "worker@host:7", msgspec.json.encode(old))
    assert not is_well("worker", "host")
