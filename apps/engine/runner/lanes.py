"""Lanes that are served fairly: start-time fair queueing over a tree of any depth.

The same rule as the router of the queue (store/lua/10_router.lua): at each level the child with the
smallest start tag is next, and a service advances its tag by one. A child that was idle starts at the
level's virtual time, before all that were served there, so its first entry is next whatever others hold.
"""

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush, heapreplace, merge
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")
Path = tuple[str, ...]

_FINISH_TAGS_KEPT = 1_000


class _Lane(Generic[T]):
    """Entries in stream order; `weight` is the sum of theirs."""

    __slots__ = ("items", "path", "weight")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.items: deque[T] = deque()
        self.weight = 0

    def __bool__(self) -> bool:
        return bool(self.items)


class _Level(Generic[T]):
    """Children that hold something, by (start tag, was served at it, age)."""

    __slots__ = ("_ages", "_finish", "_heap", "_virtual", "children")

    def __init__(self) -> None:
        self.children: dict[str, _Level[T] | _Lane[T]] = {}
        self._heap: list[tuple[int, bool, int, str]] = []
        self._finish: dict[str, int] = {}  # of children that went idle
        self._virtual = 0
        self._ages = count()

    def __bool__(self) -> bool:
        return bool(self.children)

    def enter(self, name: str, child: "_Level[T] | _Lane[T]") -> None:
        finish = self._finish.pop(name, -1)
        start = max(self._virtual, finish)
        heappush(self._heap, (start, finish == start, next(self._ages), name))
        self.children[name] = child

    def choose(self) -> "_Level[T] | _Lane[T]":
        self._virtual, _, _, name = self._heap[0]
        return self.children[name]

    def charge(self) -> None:
        """Advance the child that was chosen; one that has nothing left leaves."""
        start, _, _, name = self._heap[0]
        if self.children[name]:
            heapreplace(self._heap, (start + 1, True, next(self._ages), name))
        else:
            heappop(self._heap)
            del self.children[name]
            self._remember(name, start + 1)

    def _remember(self, name: str, finish: int) -> None:
        self._finish[name] = finish
        if len(self._finish) > _FINISH_TAGS_KEPT + 2 * len(self.children):
            self._finish = {name: tag for name, tag in self._finish.items() if tag > self._virtual}


class FairLanes(Generic[T]):
    """Entries under paths of one length. `weigh` must give an entry the same weight each time."""

    def __init__(self, weigh: Callable[[T], int]) -> None:
        self._weigh = weigh
        self._root: _Level[T] = _Level()
        self.weight = 0
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        for _, lane in self._lanes(self._root, ()):
            yield from lane.items

    def __contains__(self, path: Path) -> bool:
        """Whether the lane holds something."""
        return self._find(path) is not None

    def weight_of(self, path: Path) -> int:
        """The weight of one lane; 0 where it is idle."""
        lane = self._find(path)
        return lane.weight if lane is not None else 0

    def add(self, path: Path, item: T) -> None:
        lane, weight = self._lane(path), self._weigh(item)
        lane.items.append(item)
        lane.weight += weight
        self.weight += weight
        self._length += 1

    def take(self) -> tuple[Path, T]:
        """The fairest entry, removed, and its path. Raises IndexError when there is none."""
        node: _Level[T] | _Lane[T] = self._root
        visited: list[_Level[T]] = []
        while isinstance(node, _Level):
            visited.append(node)
            node = node.choose()
        item = node.items.popleft()
        weight = self._weigh(item)
        node.weight -= weight
        self.weight -= weight
        self._length -= 1
        for level in reversed(visited):
            level.charge()
        return node.path, item

    def regroup(self, place: Callable[[Path], Path], order: Callable[[T], object]) -> None:
        """Move each lane to `place(path)`; lanes that meet there are merged by `order`."""
        groups: dict[Path, list[_Lane[T]]] = {}
        has_moved = False
        for path, lane in self._lanes(self._root, ()):
            groups.setdefault(place(path), []).append(lane)
            has_moved = has_moved or place(path) != path
        if not has_moved:
            return
        self._root = _Level()
        for path, lanes in groups.items():
            lane = self._lane(path)
            lane.items.extend(merge(*(part.items for part in lanes), key=order))  # type: ignore[arg-type]
            lane.weight = sum(part.weight for part in lanes)

    def _find(self, path: Path) -> _Lane[T] | None:
        node: _Level[T] | _Lane[T] | None = self._root
        for name in path:
            node = node.children.get(name) if isinstance(node, _Level) else None
        return node if isinstance(node, _Lane) else None

    def _lane(self, path: Path) -> _Lane[T]:
        """The lane of a path, which enters its levels as one that was idle if it is not there."""
        level = self._root
        for name in path[:-1]:
            child = level.children.get(name)
            if not isinstance(child, _Level):
                child = _Level()
                level.enter(name, child)
            level = child
        lane = level.children.get(path[-1])
        if not isinstance(lane, _Lane):
            lane = _Lane(path)
            level.enter(path[-1], lane)
        return lane

    def _lanes(self, level: _Level[T], path: Path) -> Iterator[tuple[Path, _Lane[T]]]:
        for name, child in level.children.items():
            if isinstance(child, _Lane):
                yield (*path, name), child
            else:
                yield from self._lanes(child, (*path, name))
