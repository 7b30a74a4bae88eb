"""Hints to open pages: "run X is at version n". A lost hint costs nothing, so errors are only logged.

Groups `run.<run id>` and `runs.<environment id>` get {"type": "hint", "run_id", "version"}; the
latter one message for all changes of an interval, naming the run that changed last.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol, cast

from channels.layers import get_channel_layer
from django.conf import settings

from apps.engine.store.client import RedisClient
from apps.runs.history.database import HistoryDatabase

INTERVAL_SECONDS = 0.25

logger = logging.getLogger(__name__)


class GroupSender(Protocol):
    """The part of a Channels layer that is used here."""

    async def group_send(self, group: str, message: dict[str, object]) -> None: ...


EnvironmentLookup = Callable[[list[str]], Awaitable[dict[str, str]]]


class Listeners(Protocol):
    async def groups(self) -> set[str]:
        """The groups that someone listens to."""
        ...

    async def close(self) -> None: ...


class NoListeners:
    async def groups(self) -> set[str]:
        return set()

    async def close(self) -> None:
        pass


class RedisListeners:
    """Known from the subscriptions that Channels' pub/sub layer holds in Redis."""

    def __init__(self, client: RedisClient, prefix: str) -> None:
        self._client = client
        self._start = f"{prefix}__group__"

    async def groups(self) -> set[str]:
        channels = await self._client.execute("PUBSUB", "CHANNELS", f"{self._start}run*")
        return {channel.decode().removeprefix(self._start) for channel in channels}

    async def close(self) -> None:
        await self._client.close()


class Hints:
    """Collects changes and publishes them, at most once per interval, only to who listens."""

    def __init__(self, sender: GroupSender, listeners: Listeners, environments: EnvironmentLookup) -> None:
        self._sender = sender
        self._listeners = listeners
        self._environments = environments
        self._versions: dict[str, int] = {}
        self._listed: set[str] = set()
        self._changed = asyncio.Event()

    def add(self, runs: Iterable[str], listed: Iterable[str], version: int) -> None:
        """`runs` changed and are at `version` now; `listed` are those that look different in a list."""
        self._versions.update(dict.fromkeys(runs, version))
        self._listed.update(listed)
        if self._versions:
            self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._publish_or_log()
                await asyncio.sleep(INTERVAL_SECONDS)
        finally:
            await self._listeners.close()

    async def _publish_or_log(self) -> None:
        try:
            await self._publish()
        except Exception:
            logger.warning("Live hints were not published", exc_info=True)

    async def _publish(self) -> None:
        versions, self._versions = self._versions, {}
        listed, self._listed = self._listed, set()
        groups = await self._listeners.groups()
        for run_id, version in versions.items():
            if f"run.{run_id}" in groups:
                await self._send(f"run.{run_id}", run_id, version)
        if listed and any(group.startswith("runs.") for group in groups):
            await self._publish_lists(groups, {run_id: versions[run_id] for run_id in listed})

    async def _publish_lists(self, groups: set[str], versions: dict[str, int]) -> None:
        environments = await self._environments(list(versions))
        latest = {env: run_id for run_id, env in environments.items()}
        for environment_id, run_id in latest.items():
            if f"runs.{environment_id}" in groups:
                await self._send(f"runs.{environment_id}", run_id, versions[run_id])

    async def _send(self, group: str, run_id: str, version: int) -> None:
        await self._sender.group_send(group, {"type": "hint", "run_id": run_id, "version": version})


_PUBSUB_LAYER = "channels_redis.pubsub.RedisPubSubChannelLayer"


def layer_hints(database: HistoryDatabase) -> Hints:
    """Hints over the configured Channels layer; none unless that is the pub/sub one."""
    layers: dict[str, dict[str, Any]] = settings.CHANNEL_LAYERS
    options = layers["default"]
    listeners: Listeners = NoListeners()
    if options["BACKEND"] == _PUBSUB_LAYER:
        listeners = RedisListeners(RedisClient(options["CONFIG"]["hosts"][0]), options["CONFIG"]["prefix"])
    return Hints(cast("GroupSender", get_channel_layer()), listeners, database.environments)
