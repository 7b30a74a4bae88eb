"""The supervisor with small children of its own."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from apps.devserver.children import ChildSpec
from apps.devserver.logs import LogPrinter
from apps.devserver.supervisor import Supervisor, run_once
from tests.integration.devserver.waiting import exists, is_running, wait_for, wait_for_async

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def printer(output: io.StringIO) -> LogPrinter:
    return LogPrinter(output, coloured=False, as_json=False)


def shell(name: str, script: str, folder: Path, stop_seconds: float = 5.0) -> ChildSpec:
    return ChildSpec(name, ("/bin/sh", "-c", script), {"PATH": os.environ["PATH"]}, folder, stop_seconds)


def make_supervisor(printer: LogPrinter, folder: Path, *stop_order: str) -> Supervisor:
    return Supervisor(printer, folder / "run", stop_order)


async def test_a_child_that_dies_is_started_again(
    tmp_path: Path, printer: LogPrinter, output: io.StringIO
) -> None:
    supervisor = make_supervisor(printer, tmp_path)
    child = supervisor.start(shell("worker", "echo up; exit 3", tmp_path))
    await wait_for_async(lambda: child.exits == 2, "second death")
    await supervisor.stop()
    assert output.getvalue().splitlines()[:4] == [
        "worker    | up",
        "dev       | worker ended with code 3; starting it again in 0.2 s",
        "worker    | up",
        "dev       | worker ended with code 3; starting it again in 0.4 s",
    ]


async def test_a_killed_child_is_started_again_though_a_descendant_holds_its_output(
    tmp_path: Path, printer: LogPrinter, output: io.StringIO
) -> None:
    supervisor = make_supervisor(printer, tmp_path)
    child = supervisor.start(shell("worker", "sleep 60 & echo $! >> descendants; wait", tmp_path))
    await wait_for_async(exists(tmp_path / "descendants"), "first descendant")
    os.kill(int((tmp_path / "run" / "worker.pid").read_text()), signal.SIGKILL)
    await wait_for_async(lambda: child.exits == 1, "death")
    await wait_for_async(lambda: (tmp_path / "descendants").read_text().count("\n") == 2, "second start")
    await supervisor.stop()
    assert "dev       | worker was ended by signal 9; starting it again in 0.2 s" in output.getvalue()
    for line in (tmp_path / "descendants").read_text().split():
        if is_running(int(line)):
            os.kill(int(line), signal.SIGKILL)


async def test_children_end_in_order(tmp_path: Path, printer: LogPrinter) -> None:
    supervisor = make_supervisor(printer, tmp_path, "web", "worker", "valkey")
    for name in ("valkey", "web", "worker"):
        script = (
            f"trap 'sleep 0.05; echo {name} >> ends; exit' TERM; touch {name}; while :; do sleep 0.05; done"
        )
        supervisor.start(shell(name, script, tmp_path))
    for name in ("valkey", "web", "worker"):
        await wait_for_async(exists(tmp_path / name), name)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "valkey.pid",
        "web.pid",
        "worker.pid",
    ]
    await supervisor.stop()
    assert (tmp_path / "ends").read_text().split() == ["web", "worker", "valkey"]
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path, printer: LogPrinter) -> None:
    supervisor = make_supervisor(printer, tmp_path)
    script = "trap '' TERM; touch up; while :; do sleep 0.05; done"
    supervisor.start(shell("worker", script, tmp_path, stop_seconds=0.1))
    await wait_for_async(exists(tmp_path / "up"), "start")
    process_id = int((tmp_path / "run" / "worker.pid").read_text())
    started = time.monotonic()
    await supervisor.stop()
    assert not is_running(process_id)
    assert time.monotonic() - started < 5


async def test_a_stop_does_not_wait_for_the_next_start(tmp_path: Path, printer: LogPrinter) -> None:
    supervisor = make_supervisor(printer, tmp_path)
    child = supervisor.start(shell("worker", "exit 1", tmp_path))
    await wait_for_async(lambda: child.exits == 3, "third death")
    started = time.monotonic()
    await supervisor.stop()
    assert time.monotonic() - started < 0.5


async def test_a_program_that_is_not_there_is_named(
    tmp_path: Path, printer: LogPrinter, output: io.StringIO
) -> None:
    supervisor = make_supervisor(printer, tmp_path)
    child = supervisor.start(ChildSpec("worker", ("/nowhere/python",), {}, tmp_path, 1.0))
    await wait_for_async(lambda: child.exits == 1, "failed start")
    await supervisor.stop()
    assert output.getvalue().startswith("dev       | worker cannot be started ([Errno 2] No such file")


async def test_running_once_gives_the_exit_code(
    tmp_path: Path, printer: LogPrinter, output: io.StringIO
) -> None:
    assert await run_once(shell("migrate", "printf 'no end of line'; exit 4", tmp_path), printer) == 4
    assert output.getvalue() == "migrate   | no end of line\n"


SUPERVISOR_SCRIPT = textwrap.dedent(
    """
    import asyncio, os, sys
    from pathlib import Path
    from apps.devserver.children import ChildSpec
    from apps.devserver.logs import LogPrinter
    from apps.devserver.supervisor import Supervisor

    async def main(folder):
        printer = LogPrinter(sys.stdout, coloured=False, as_json=False)
        supervisor = Supervisor(printer, folder / "run", ())
        for name in ("web", "worker"):
            spec = ChildSpec(name, ("/bin/sleep", "1000"), dict(os.environ), folder, 1.0)
            supervisor.start(spec)
        await asyncio.Event().wait()

    asyncio.run(main(Path(sys.argv[1])))
    """
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR_SCRIPT, str(tmp_path)], cwd=ROOT)
    files = [tmp_path / "run" / f"{name}.pid" for name in ("web", "worker")]
    wait_for(lambda: all(file.exists() and file.read_text() for file in files), "both children")
    process_ids = [int(file.read_text()) for file in files]
    assert [is_running(process_id) for process_id in process_ids] == [True, True]
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not any(map(is_running, process_ids)), "end of the children")
