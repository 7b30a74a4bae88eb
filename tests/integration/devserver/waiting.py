"""Waiting with a deadline for what other processes do."""

import asyncio
import os
import time
from collections.abc import Callable

DEADLINE_SECONDS = 20.0


def wait_for(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"timed out: {what}"
        time.sleep(0.02)


async def wait_for_async(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"timed out: {what}"
        await asyncio.sleep(0.01)


def is_running(process_id: int) -> bool:
    """Whether the process lives; a zombie that its new parent has not collected does not."""
    try:
        with open(f"/proc/{process_id}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def exists(path: str | os.PathLike[str]) -> Callable[[], bool]:
    return lambda: os.path.exists(path)
