"""A child's output: a pipe that is read as it fills.

asyncio's own pipes make `Process.wait()` wait for every descendant that holds the pipe open, so a
killed child with a living grandchild would look alive. This pipe is separate from the process.
"""

import asyncio
import os
from collections.abc import Callable

from apps.devserver.logs import LineSplitter

_CHUNK_BYTES = 64 * 1024


class OutputPipe:
    """`write_end` is for the child; `on_line` gets each line from the loop that made the pipe."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._splitter = LineSplitter()
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._loop.add_reader(self._read_end, self._read)

    def child_started(self) -> None:
        """Drop our copy of the write end, so that the end of the child ends the pipe."""
        os.close(self.write_end)

    async def drain(self, seconds: float) -> None:
        """Give the last lines a moment, then close."""
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            self._close()

    def _read(self) -> None:
        try:
            chunk = os.read(self._read_end, _CHUNK_BYTES)
        except BlockingIOError:
            return
        for line in self._splitter.feed(chunk):
            self._on_line(line)
        if not chunk:
            self._close()

    def _close(self) -> None:
        for line in self._splitter.finish():
            self._on_line(line)
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)
        self._closed.set()
