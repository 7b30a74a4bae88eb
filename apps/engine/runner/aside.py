"""What is handled beside the batch in hand instead of after it: entries of lanes that were idle.

A lane of which an entry is aside is busy: what comes for it meanwhile is kept, so that the order within
each lane holds. Accounts have few places here, and all together not many more: who brings more than that
waits for a turn in the fair lanes. So does everybody while the entries in hand take long.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import msgspec

from apps.engine.runner.incoming import Incoming
from apps.engine.runner.lanes import Path

Held = Incoming | str  # an entry, or its stream id


class AsideLimits(msgspec.Struct, frozen=True):
    """Lanes that may be aside at a time, in all and of one account.

    After `seconds` the entries in hand take long.
    """

    lanes: int = 16
    lanes_of_account: int = 4
    seconds: float = 0.02


class Aside:
    """One taker at a time, which says when it is `done` with what it was given."""

    def __init__(self, limits: AsideLimits) -> None:
        self._limits = limits
        self._waiting: list[tuple[Path, Incoming]] = []
        self._in_hand: list[tuple[Path, Incoming]] = []
        self._handed_at = 0.0
        self._kept: dict[Path, list[Held]] = {}  # by busy lane
        self._lanes_of: Counter[str] = Counter()  # by account
        self._may_take = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def __iter__(self) -> Iterator[Held]:
        """All that is here: waiting, in hand, and kept."""
        for _, incoming in (*self._waiting, *self._in_hand):
            yield incoming
        for kept in self._kept.values():
            yield from kept

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_hand) + sum(map(len, self._kept.values()))

    def is_busy(self, path: Path) -> bool:
        return path in self._kept

    def admits(self, path: Path) -> bool:
        limits = self._limits
        return (
            len(self._kept) < limits.lanes
            and self._lanes_of[path[0]] < limits.lanes_of_account
            and not (self._in_hand and time.monotonic() - self._handed_at > limits.seconds)
        )

    def add(self, path: Path, incoming: Incoming) -> None:
        """An entry of an idle lane, which is admitted."""
        self._waiting.append((path, incoming))
        self._kept[path] = []
        self._lanes_of[path[0]] += 1
        self._is_idle.clear()
        self._may_take.set()

    def keep(self, path: Path, held: Held) -> None:
        """An entry of a busy lane."""
        self._kept[path].append(held)

    async def take(self) -> list[Incoming]:
        """All that wait. Waits for one; may be empty."""
        await self._may_take.wait()
        self._may_take.clear()
        self._handed_at = time.monotonic()
        self._in_hand, self._waiting = self._waiting, []
        return [incoming for _, incoming in self._in_hand]

    def done(self) -> list[tuple[Path, Held]]:
        """The lanes of what was taken are idle again. Returns what was kept for them, each in its order."""
        kept: list[tuple[Path, Held]] = []
        for path, _ in self._in_hand:
            kept += [(path, held) for held in self._kept.pop(path)]
            self._lanes_of[path[0]] -= 1
        self._lanes_of = +self._lanes_of
        self._in_hand = []
        if not self._kept:
            self._is_idle.set()
        return kept

    def wake(self) -> None:
        """Let the taker go on without entries."""
        self._may_take.set()

    def close(self) -> None:
        """There is no taker any more."""
        self._is_idle.set()

    async def until_idle(self) -> None:
        """Wait until nothing is here, or until `close`."""
        await self._is_idle.wait()
