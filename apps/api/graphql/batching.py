"""Batched look-ups within one request: a list announces the keys of its items, the first use of one
of them loads all. This is what keeps lists of any length at a fixed number of queries."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batch(Generic[K, V]):
    """Cache of one kind of look-up; `load` answers for many keys and may leave some out."""

    def __init__(self, load: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._load = load
        self._expected: set[K] = set()
        self._loaded: dict[K, V | None] = {}

    def expect(self, keys: Iterable[K]) -> None:
        """These keys may be asked for: they are loaded together with the first that is."""
        self._expected.update(key for key in keys if key not in self._loaded)

    def put(self, key: K, value: V) -> None:
        self._loaded[key] = value

    def get(self, key: K) -> V | None:
        if key not in self._loaded:
            self._fetch({key, *self._expected})
        return self._loaded[key]

    def _fetch(self, keys: set[K]) -> None:
        found = self._load(keys)
        self._expected.clear()
        self._loaded.update({key: found.get(key) for key in keys if key not in self._loaded})
