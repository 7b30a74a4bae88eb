"""A power cut of the queue's machine: what Valkey had not synced to its disk is gone.

kill -9 alone loses nothing, since the kernel keeps what was written. So the append-only file is cut
back to the size that it had when it was surely synced.
"""

import asyncio
import time
from pathlib import Path

# `everysec` syncs once a second.
UNSYNCED_SECONDS = 1.0
_SAMPLE_SECONDS = 0.02


class AppendOnlyFile:
    """Watches the file grow."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "valkey" / "appendonlydir"
        self._sizes: list[tuple[float, int]] = []

    async def watch(self) -> None:
        while True:
            self._sizes.append((time.time(), self._path().stat().st_size))
            await asyncio.sleep(_SAMPLE_SECONDS)

    def cut_back(self, at: float) -> int:
        """Forget what was written in the last `UNSYNCED_SECONDS` before `at`; how many bytes that was."""
        kept = max(size for moment, size in self._sizes if moment <= at - UNSYNCED_SECONDS)
        path = self._path()
        lost = path.stat().st_size - kept
        with path.open("r+b") as file:
            file.truncate(kept)
        return lost

    def _path(self) -> Path:
        """The file that grows; the others are the base that it goes on from."""
        (path,) = self._folder.glob("*.incr.aof")
        return path
