"""Starting and ending one child process."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run. `death_signal` is what the child gets when the supervisor dies without a word."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_dir: Path
    stop_seconds: float
    kept_descriptors: tuple[int, ...] = ()
    death_signal: signal.Signals = signal.SIGKILL


async def spawn(spec: ChildSpec, output: int) -> asyncio.subprocess.Process:
    """Start the child, its output going to the descriptor `output`.

    It gets a session of its own, so that a terminal's Ctrl-C reaches the supervisor only.
    """
    return await asyncio.create_subprocess_exec(
        *spec.argv,
        env=dict(spec.environment),
        cwd=spec.working_dir,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=spec.kept_descriptors,
        preexec_fn=_bind_to_parent(spec.death_signal),
    )


def _bind_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """Between fork and exec: ask the kernel for `death_signal` when the parent dies (Linux only)."""
    parent = os.getpid()

    def bind() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        # A parent that died before the request above will never cause the signal.
        if os.getppid() != parent:
            os._exit(1)

    return bind


async def end(process: asyncio.subprocess.Process, seconds: float) -> None:
    """SIGTERM, then after `seconds` SIGKILL to the whole session of the child."""
    if process.returncode is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        kill(process)
        await process.wait()


def kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # it ended by itself, and the loop has not been told yet


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except ProcessLookupError:
        return  # as above
