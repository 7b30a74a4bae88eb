"""What a scenario left behind, in the form that the checker judges."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.chaos.records import Answer, Call

# `appendfsync everysec`: Valkey holds writes back for up to 2 s while the disk is busy with a sync.
LOSS_SECONDS = 2.0


class Accepted(NamedTuple):
    """An event that was answered with 200, at `at` (seconds since the epoch)."""

    id: str
    name: str
    n: int
    at: float


class RunRow(NamedTuple):
    """A run as history has it; times in seconds since the epoch, 0 where unknown. `event` started it.

    A run of which only later records are known has the status Unknown and no function.
    """

    id: str
    function: str
    status: str
    event: str
    output: Mapping[str, object]
    queued_at: float
    started_at: float
    ended_at: float


class Story(NamedTuple):
    """`losses` are the times at which the queue may have forgotten its last `LOSS_SECONDS`."""

    calls: Sequence[Call]
    answers: Mapping[int, Answer]
    accepted: Sequence[Accepted]
    runs: Sequence[RunRow]
    losses: Sequence[float] = ()

    def is_forgivable(self, at: float) -> bool:
        """Whether what was acknowledged at that time may have been lost."""
        return any(loss - LOSS_SECONDS <= at <= loss for loss in self.losses)

    def answered(self) -> Iterator[tuple[Call, Answer]]:
        return ((call, self.answers[call.number]) for call in self.calls if call.number in self.answers)

    def answer(self, call: Call) -> Answer | None:
        return self.answers.get(call.number)
