"""Keeps children running: starts them again when they die, and ends them in order."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from apps.devserver import children
from apps.devserver.backoff import Backoff
from apps.devserver.children import ChildSpec
from apps.devserver.logs import LogPrinter
from apps.devserver.output import OutputPipe

# A descendant may hold the pipe open after the child has gone.
_LAST_LINES_SECONDS = 0.2


class Child:
    """One supervised process. `exits` counts the deaths that nobody asked for."""

    def __init__(self, spec: ChildSpec, printer: LogPrinter, pid_dir: Path, owner: str = "dev") -> None:
        self.spec = spec
        self._owner = owner
        self.exits = 0
        self._printer = printer
        self._pid_file = pid_dir / f"{spec.name}.pid"
        self._stopping = asyncio.Event()
        self._process: Process | None = None
        self._task = asyncio.create_task(self._keep_running(), name=spec.name)

    @property
    def pid(self) -> int:
        """0 before its first start."""
        return self._process.pid if self._process is not None else 0

    async def stop(self) -> None:
        self._stopping.set()
        if self._process is not None:
            await children.end(self._process, self.spec.stop_seconds)
        await self._task

    def kill(self) -> None:
        self._stopping.set()
        if self._process is not None:
            children.kill(self._process)

    async def _keep_running(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            started = time.monotonic()
            ending = await self._run_once()
            if self._stopping.is_set():
                return
            self.exits += 1
            delay = backoff.next_delay(time.monotonic() - started)
            self._printer.line(self._owner, f"{self.spec.name} {ending}; starting it again in {delay:g} s")
            await self._rest(delay)

    async def _run_once(self) -> str:
        """Run the child to its end; how it ended, in words."""
        try:
            code = await run_once(self.spec, self._printer, self._on_start)
        except OSError as problem:
            return f"cannot be started ({problem})"
        self._pid_file.unlink(missing_ok=True)
        return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"

    def _on_start(self, process: Process) -> None:
        self._process = process
        self._pid_file.write_text(str(process.pid))
        if self._stopping.is_set():
            children.kill(process)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


async def run_once(
    spec: ChildSpec, printer: LogPrinter, on_start: Callable[[Process], None] | None = None
) -> int:
    """Run a child to its end, its lines printed; its exit code. Cancelled, it kills the child."""
    output = OutputPipe(partial(printer.line, spec.name))
    try:
        process = await children.spawn(spec, output.write_end)
    finally:
        output.child_started()
    try:
        if on_start is not None:
            on_start(process)
        code = await process.wait()
    except asyncio.CancelledError:
        children.kill(process)
        raise
    await output.drain(_LAST_LINES_SECONDS)
    return code


class Supervisor:
    """All children of one platform. They are stopped in the order of `stop_order`, the rest last.

    `name` is whose the lines of the supervisor itself are.
    """

    def __init__(
        self, printer: LogPrinter, pid_dir: Path, stop_order: Sequence[str], name: str = "dev"
    ) -> None:
        self._name = name
        self._printer = printer
        self._pid_dir = pid_dir
        self._stop_order = tuple(stop_order)
        self._children: list[Child] = []
        pid_dir.mkdir(parents=True, exist_ok=True)

    def start(self, spec: ChildSpec) -> Child:
        child = Child(spec, self._printer, self._pid_dir, self._name)
        self._children.append(child)
        return child

    async def stop(self) -> None:
        for child in sorted(self._children, key=self._stop_rank):
            await child.stop()

    def kill(self) -> None:
        for child in self._children:
            child.kill()

    def _stop_rank(self, child: Child) -> int:
        name = child.spec.name
        return self._stop_order.index(name) if name in self._stop_order else len(self._stop_order)
