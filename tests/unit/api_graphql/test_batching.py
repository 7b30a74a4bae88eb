"""Batched look-ups within one request."""

from collections.abc import Collection, Mapping

from apps.api.graphql.batching import Batch


class Source:
    """Answers even numbers, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def load(self, keys: Collection[int]) -> Mapping[int, str]:
        self.asked.append(sorted(keys))
        return {key: f"v{key}" for key in keys if key % 2 == 0}


def test_announced_keys_are_loaded_with_the_first_that_is_used() -> None:
    source = Source()
    batch = Batch(source.load)
    batch.expect([2, 3, 4])
    assert source.asked == []
    assert [batch.get(key) for key in (2, 3, 4)] == ["v2", None, "v4"]
    assert source.asked == [[2, 3, 4]]


def test_nothing_is_loaded_twice() -> None:
    source = Source()
    batch = Batch(source.load)
    assert (batch.get(2), batch.get(1), batch.get(1)) == ("v2", None, None)
    batch.expect([1, 2, 6])
    assert batch.get(6) == "v6"
    assert source.asked == [[2], [1], [6]]


def test_what_is_put_is_not_loaded() -> None:
    source = Source()
    batch = Batch(source.load)
    batch.put(7, "own")
    batch.expect([7, 8])
    assert (batch.get(7), batch.get(8)) == ("own", "v8")
    assert source.asked == [[8]]
