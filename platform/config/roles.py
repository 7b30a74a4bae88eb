"""What each role runs inside its Celery worker: the engine's services, made from the settings."""

import asyncio
from collections.abc import Sequence

from django.conf import settings

from apps.engine.bridge import flow_policy
from apps.engine.calls.addresses import AddressPolicy
from apps.engine.calls.app_client import AppClient
from apps.engine.executor import ops
from apps.engine.executor.drive import Driver, SigningKeyOf
from apps.engine.executor.history import HistoryBuffer
from apps.engine.executor.server_steps import ServerStepRunner
from apps.engine.executor.service import Executor
from apps.engine.executor.tracker import Tracker
from apps.engine.heartbeat import Heartbeat
from apps.engine.keys import Keys
from apps.engine.recovery.epoch import AfterRecovery, Epoch
from apps.engine.recovery.reaper import Reaper
from apps.engine.runner.service import Runner
from apps.engine.services import Service
from apps.engine.store.client import RedisClient
from apps.engine.store.functions import FunctionCache
from apps.engine.store.queue import Queue
from apps.engine.telemetry import process_counters
from apps.engine.telemetry_sender import TelemetrySender
from apps.engine.timers.service import TimerService


async def services() -> Sequence[Service]:
    """The services of this process's roles (STEPWELL_ROLES)."""
    client = await RedisClient.connect(settings.REDIS_URL)
    try:
        return await _services(client, Keys(settings.STEPWELL_SHARD))
    except BaseException:
        await client.close()  # the bootstep tries again each second
        raise


async def _services(client: RedisClient, keys: Keys) -> list[Service]:
    started: list[Service] = []
    for role in settings.STEPWELL_ROLES:
        if role == "worker":
            signing_key, listeners = _signing()
            started += [_executor(client, keys, signing_key), *listeners]
        elif role == "scheduler":
            started += await _scheduler(client, keys)
        started.append(Heartbeat(client, keys, role))
    role = ",".join(settings.STEPWELL_ROLES)
    return [*started, TelemetrySender(client, keys, role, process_counters)]


def _signing() -> tuple[SigningKeyOf, list[Service]]:
    """Where requests get their signatures' keys from, and what keeps that up to date."""
    from apps.credentials.listening import ChangeListener
    from apps.credentials.signing import KeyRing, configured_signing_key

    if settings.STEPWELL_MODE == "dev":
        return configured_signing_key, []
    ring = KeyRing()
    return ring.signing_key, [ChangeListener(settings.REDIS_URL, lambda: [ring])]


def _executor(client: RedisClient, keys: Keys, signing_key: SigningKeyOf) -> Executor:
    ops.set_retry_interval(settings.STEPWELL_RETRY_INTERVAL_SECONDS)
    policy = AddressPolicy(allow_private=settings.STEPWELL_ALLOW_PRIVATE_NETWORKS)
    queue = Queue(client, keys.prefix, lease_ms=settings.STEPWELL_LEASE_SECONDS * 1000)
    functions = FunctionCache(client, keys)
    app_client = AppClient(policy)
    history = HistoryBuffer(client, keys)
    driver = Driver(
        queue,
        functions,
        app_client,
        history,
        ServerStepRunner(app_client.transport),
        shard=settings.STEPWELL_SHARD,
        signing_key=signing_key,
    )
    return Executor(
        queue,
        functions,
        driver,
        Tracker(),
        history,
        capacity=settings.STEPWELL_WORKER_CONCURRENCY,
        grace_seconds=settings.STEPWELL_DRAIN_SECONDS,
    )


def publish_configuration() -> None:
    """Give the queue everything that the database configures."""
    from apps.registry.services.publication import republish_all
    from apps.tenancy.services import publish_all_shares

    republish_all()
    publish_all_shares()


async def _scheduler(client: RedisClient, keys: Keys) -> list[Service]:
    from apps.audit_sinks.streaming import AuditStreamer
    from apps.operations.dispatcher import Dispatcher
    from apps.registry.services.discovery import AppPoller
    from apps.runs.history.writer import HistoryWriter
    from apps.runs.recovery.service import Recovery
    from apps.tenancy.keeper import Keeper

    await asyncio.to_thread(publish_configuration)
    runner = Runner(Queue(client, keys.prefix), FunctionCache(client, keys), keys, flow_policy())
    return [
        AfterRecovery(runner, Epoch(client, keys)),
        Recovery(client, settings.STEPWELL_SHARD, flow_policy(), publish_configuration),
        TimerService(Queue(client, keys.prefix), FunctionCache(client, keys)),
        Reaper(client, keys),
        HistoryWriter(),
        AppPoller(),
        Dispatcher(),
        Keeper(),
        AuditStreamer(),
    ]
