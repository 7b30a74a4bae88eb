"""What a scenario did, in figures: how long the work of a process rested after each of its deaths."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.chaos import evidence
from tests.chaos.server import SCHEDULER, VALKEY, WEB, WORKER
from tests.chaos.story import Story


class Strike(NamedTuple):
    """A signal that ended the process of a role, at `at` (seconds since the epoch)."""

    role: str
    at: float


def signs_of_life(story: Story, database: Path) -> Mapping[str, Sequence[float]]:
    """The times at which each role is known to have worked: calls, decided events, accepted events."""
    calls = [call.at for call in story.calls]
    accepted = [event.at for event in story.accepted]
    return {WORKER: calls, SCHEDULER: evidence.handled_at(database), WEB: accepted, VALKEY: accepted}


def summary(story: Story, database: Path, strikes: Iterable[Strike]) -> str:
    signs = signs_of_life(story, database)
    rests = [f"{role} {_first_after(signs[role], at):.1f}" for role, at in strikes]
    counts = f"{len(story.runs)} runs, {len(story.calls)} calls, {_repeated(story)} executions repeated"
    return f"{counts}, back after: {', '.join(rests)} s" if rests else counts


def _first_after(times: Iterable[float], at: float) -> float:
    """Seconds from `at` to the first of `times` after it."""
    return min((time - at for time in times if time > at), default=math.nan)


def _repeated(story: Story) -> int:
    """Executions of steps beyond the first: their results were lost on the way."""
    executions = Counter((call.run, answer.step) for call, answer in story.answered() if answer.step)
    return sum(count - 1 for count in executions.values())
