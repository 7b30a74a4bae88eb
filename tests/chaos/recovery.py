"""How long the work of a process rests after its death."""

import math
from collections.abc import Iterable, Mapping

from tests.chaos.server import SCHEDULER, VALKEY, WEB, WORKER
from tests.chaos.story import Story


def signs_of_life(story: Story) -> Mapping[str, list[float]]:
    """The times at which each role is known to have worked."""
    calls = [call.at for call in story.calls]
    return {
        WORKER: calls,
        VALKEY: calls,
        SCHEDULER: [run.queued_at for run in story.runs],
        WEB: [event.at for event in story.accepted],
    }


def first_after(times: Iterable[float], at: float) -> float:
    """Seconds from `at` to the first of `times` after it."""
    return min((time - at for time in times if time > at), default=math.nan)
