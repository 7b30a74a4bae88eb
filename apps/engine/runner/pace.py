"""How the runner shares its machine with what it feeds: the size of its batches, and its rests.

Workers that have enough to do gain nothing from runs that are scheduled faster, but every other tenant's
event loses: runner, workers, Valkey and apps compete for the same cores. So once all runs of a batch have
landed far back in their queues, the runner rests for a multiple of the time that the batch took. Entries of
idle lanes are handled meanwhile (aside.py).
"""

import msgspec


class PaceLimits(msgspec.Struct, frozen=True):
    """A batch has from `least_batch` to `batch` entries: as many as take about `batch_seconds`, which is how
    long Valkey's other clients wait for a batch's commands, and entries that find no place aside for the
    batch before them.

    A rest takes `rest_ratio` times as long as its batch, at most `rest_seconds`, and comes only where each
    run has at least `work_ahead` items in its queue.
    """

    least_batch: int = 8
    batch: int = 100
    batch_seconds: float = 0.002
    work_ahead: int = 40
    rest_ratio: float = 2.0
    rest_seconds: float = 0.01


class Pace:
    """`size`: how many entries the next batch may have. `rest`: seconds to wait before it."""

    def __init__(self, limits: PaceLimits) -> None:
        self._limits = limits
        self._least = min(limits.least_batch, limits.batch)
        self.size = self._least
        self.rest = 0.0

    def learn(self, count: int, seconds: float, work_ahead: int) -> None:
        """A batch of `count` took so long, and none of its runs has less than `work_ahead` before it.

        A batch that was not full tells nothing of a larger one.
        """
        limits = self._limits
        if seconds > limits.batch_seconds:
            self.size = max(self._least, self.size // 2)
        elif count >= self.size and seconds < limits.batch_seconds / 2:
            self.size = min(limits.batch, self.size * 2)
        is_ahead = work_ahead >= limits.work_ahead
        self.rest = min(limits.rest_seconds, seconds * limits.rest_ratio) if is_ahead else 0.0
