"""Brings a process's counters, and how it is doing, to Redis every few seconds and at its end."""

import asyncio
import os
import resource
import socket
from pathlib import Path
from typing import Final

import msgspec

from apps.engine import clock
from apps.engine.keys import Keys
from apps.engine.services import wait_for
from apps.engine.store.client import RedisClient
from apps.engine.telemetry import Counters

EVERY_SECONDS: Final = 5.0
# A process that has not been heard of for this long has gone.
STALE_MS: Final = 20_000
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProcessSample(msgspec.Struct, frozen=True):
    """One process at `at` (ms): CPU seconds since its start, resident bytes, open file descriptors."""

    role: str
    instance: str
    at: int
    cpu_seconds: float
    resident_bytes: int
    descriptors: int


class TelemetrySender:
    """A service (services.py); one per process."""

    name = "telemetry"

    def __init__(self, client: RedisClient, keys: Keys, role: str, counters: Counters) -> None:
        self._client = client
        self._keys = keys
        self._role = role
        self._counters = counters
        self._instance = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self, stop: asyncio.Event) -> None:
        while True:
            await self.flush()
            if await wait_for(stop, EVERY_SECONDS):
                break
        await self.flush()
        await self._client.execute("HDEL", self._keys.processes, f"{self._role}@{self._instance}")

    async def flush(self) -> None:
        """All or nothing; what Redis does not take is counted with what comes next."""
        taken = self._counters.take()
        sample = msgspec.json.encode(self.sample())
        commands: list[tuple[str | bytes | float, ...]] = [
            ("MULTI",),
            ("HSET", self._keys.processes, f"{self._role}@{self._instance}", sample),
            *(("HINCRBYFLOAT", self._keys.counters, name, amount) for name, amount in taken.items()),
            ("EXEC",),
        ]
        try:
            await self._client.pipeline(commands)
        except BaseException:
            self._counters.add_all(taken)
            raise

    def sample(self) -> ProcessSample:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return ProcessSample(
            role=self._role,
            instance=self._instance,
            at=clock.now_ms(),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 3),
            resident_bytes=_resident_bytes(usage.ru_maxrss),
            descriptors=_descriptors(),
        )


def _resident_bytes(most_kilobytes: int) -> int:
    """Where the system does not tell the present size, the largest that it was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except FileNotFoundError:
        return most_kilobytes * 1024


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return 0
