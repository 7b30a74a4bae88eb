"""The pool's end of one worker process."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import apps
from apps.webhooks.runtime.messages import LENGTH_BYTES, MAX_ANSWER_BYTES

START_SECONDS: Final = 30.0

_MODULE = "apps.webhooks.runtime.worker"
_ROOT = Path(apps.__file__).resolve().parent.parent
# Nothing of ours: secrets of the server are in its environment.
_ENVIRONMENT = {"TZ": "UTC", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_CHUNK = 1 << 20


class WorkerGone(Exception):
    """The process has ended, or says what it must not."""


class WorkerLate(Exception):
    """The process did not answer in time."""


class WorkerProcess:
    """One process, used by one thread. Whatever raises, `kill` is the only thing left to do with it."""

    def __init__(self) -> None:
        """Starts the process and waits until it is ready. Raises OSError, WorkerGone, WorkerLate."""
        self._process = subprocess.Popen(  # noqa: S603 our own program
            [sys.executable, "-E", "-s", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=_ENVIRONMENT,
        )
        pipes = (self._process.stdin, self._process.stdout)
        self._in, self._out = (pipe.fileno() for pipe in pipes if pipe is not None)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self.calls = 0
        try:
            self.is_sealed = self._receive(time.monotonic() + START_SECONDS) == b"sealed"
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, frame: bytes, seconds: float) -> bytes:
        """The answer to a frame. Raises WorkerGone, WorkerLate."""
        self.calls += 1
        ends_at = time.monotonic() + seconds
        self._send(frame, ends_at)
        return self._receive(ends_at)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, frame: bytes, ends_at: float) -> None:
        view = memoryview(frame)
        while view:
            _wait(self._in, select.POLLOUT, ends_at)
            try:
                view = view[os.write(self._in, view[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError as problem:
                raise WorkerGone(str(problem)) from None

    def _receive(self, ends_at: float) -> bytes:
        size = int.from_bytes(self._read(LENGTH_BYTES, ends_at), "big")
        if size > MAX_ANSWER_BYTES:
            raise WorkerGone(f"an answer of {size} bytes")
        return self._read(size, ends_at)

    def _read(self, size: int, ends_at: float) -> bytes:
        parts: list[bytes] = []
        while size:
            _wait(self._out, select.POLLIN, ends_at)
            try:
                part = os.read(self._out, min(size, _CHUNK))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerGone("the worker process has ended")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def _wait(descriptor: int, event: int, ends_at: float) -> None:
    """Until the pipe may be used, or has ended, which using it tells."""
    poll = select.poll()
    poll.register(descriptor, event)
    left = ends_at - time.monotonic()
    if left <= 0 or not poll.poll(max(1, int(left * 1000))):
        raise WorkerLate
