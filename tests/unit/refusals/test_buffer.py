import threading
from collections.abc import Iterator

import pytest

from apps.engine import clock
from apps.refusals.buffer import MAX_PENDING, RefusalBuffer, Tally
from apps.refusals.refusal import Refusal


def kind(number: int) -> Refusal:
    return Refusal("env", "events", "POST", "/e/…", 400, f"reason {number}")


@pytest.fixture
def times() -> Iterator[list[float]]:
    """The clock's next times in seconds."""
    coming: list[float] = []
    clock.set_time_source(lambda: coming.pop(0))
    yield coming
    clock.set_time_source(None)


def test_equal_refusals_are_counted_with_their_times_and_the_last_key(times: list[float]) -> None:
    times += [1.0, 2.0, 3.0, 4.0]
    buffer = RefusalBuffer()
    buffer.note(kind(1), "aaaa")
    buffer.note(kind(2))
    buffer.note(kind(1), "bbbb")
    buffer.note(kind(1))
    assert buffer.take() == (
        {kind(1): Tally(3, 1000, 4000, "bbbb"), kind(2): Tally(1, 2000, 2000)},
        0,
    )
    assert buffer.take() == ({}, 0)


def test_a_full_buffer_goes_on_counting_what_it_holds() -> None:
    buffer = RefusalBuffer()
    for number in range(MAX_PENDING + 10):
        buffer.note(kind(number))
    buffer.note(kind(0))
    tallies, overflow = buffer.take()
    assert (len(tallies), tallies[kind(0)].count, overflow) == (MAX_PENDING, 2, 10)


def test_threads_lose_nothing() -> None:
    buffer = RefusalBuffer()
    taken: list[int] = []

    def note() -> None:
        for _ in range(2000):
            buffer.note(kind(1))

    def take() -> None:
        for _ in range(50):
            tallies, _ = buffer.take()
            taken.extend(tally.count for tally in tallies.values())

    threads = [threading.Thread(target=work) for work in (note, note, take)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    take()
    assert sum(taken) == 4000
