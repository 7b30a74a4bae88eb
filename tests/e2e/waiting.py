"""Waiting for something with a deadline, never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.03


def wait_until(
    predicate: Callable[[], T | None], timeout: float = 15, describe: Callable[[], str] | None = None
) -> T:
    """The first truthy answer of `predicate`; AssertionError with `describe()` when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            detail = describe() if describe else f"last answer: {answer!r}"
            raise AssertionError(f"Not within {timeout:g} s. {detail}")
        time.sleep(POLL_SECONDS)
