"""`manage.py queue drain`: let workers finish what they have and take nothing more, before they are stopped.

Exit codes: 0; 1 when the deadline passed with items still in hand (the workers go on draining); 2 where no
executor has answered; 3 while Redis is away.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.management.base import CommandParser, OutputWrapper

from apps.operations.management.queue.tables import seconds
from apps.operations.services.workers import WorkerState, worker_states, workers_drain, workers_resume

HELP: Final = "Drain the workers: they finish what they have and take nothing more."
BUSY: Final = 1
NO_WORKER: Final = 2
_LOOK_SECONDS = 0.5
# An item that was being leased when the worker heard of the drain shows up a moment later.
_QUIET_LOOKS = 2


def add_arguments(parser: CommandParser) -> None:
    parser.add_argument("--worker", metavar="NAME", default="", help="only this one (worker@host)")
    parser.add_argument("--resume", action="store_true", help="let them lease again, and do not wait")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS", help="how long to wait")


def run(out: OutputWrapper, err: OutputWrapper, options: Mapping[str, Any]) -> int:
    deadline = time.monotonic() + options["timeout"]
    worker: str = options["worker"]
    problems = workers_resume(worker) if options["resume"] else workers_drain(worker)
    obeying = sorted(name for name, problem in problems.items() if not problem)
    if not obeying:
        err.write(f"Error: {_refusal(worker, problems)}")
        return NO_WORKER
    for name in obeying:
        out.write(f"{name}: {'leasing' if options['resume'] else 'draining'}")
    if options["resume"]:
        return 0
    return _wait(out, err, obeying, deadline)


def _refusal(worker: str, problems: Mapping[str, str]) -> str:
    if problems:
        return "; ".join(f"{name}: {problem}" for name, problem in sorted(problems.items()))
    return f"the worker {worker} does not answer" if worker else "no worker answers"


def _wait(out: OutputWrapper, err: OutputWrapper, workers: Sequence[str], deadline: float) -> int:
    quiet = 0
    told: dict[str, int | None] = {}
    while True:
        states = worker_states(workers)
        for name in workers:
            held = states[name].held if name in states else None
            if (name, held) not in told.items():
                told[name] = held
                out.write(f"{name}: {_words(states.get(name))}")
        quiet = quiet + 1 if _are_idle(workers, states) else 0
        if quiet >= _QUIET_LOOKS:
            return 0
        if time.monotonic() > deadline:
            err.write("Error: the time is up; the workers go on draining")
            return BUSY
        time.sleep(_LOOK_SECONDS)


def _words(state: WorkerState | None) -> str:
    if state is None:
        return "does not answer"
    if not state.held:
        return "nothing in hand"
    return f"{state.held:,} in hand, the oldest for {seconds(state.oldest_ms)}"


def _are_idle(workers: Sequence[str], states: Mapping[str, WorkerState]) -> bool:
    return all(name in states and states[name].is_draining and not states[name].held for name in workers)
