"""Webhooks whose scripts run into their limits again and again."""

import pytest

from apps.webhooks import breaker
from apps.webhooks.breaker import LIMIT, PAUSE_SECONDS, Breaker


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(breaker, "time", found)
    return found


def fail(subject: Breaker, times: int, webhook: str = "a") -> None:
    for _ in range(times):
        subject.note(webhook, is_limit=True)


def test_it_opens_after_limits_in_a_row(clock: Clock) -> None:
    subject = Breaker()
    fail(subject, LIMIT - 1)
    assert subject.seconds_left("a") == 0
    fail(subject, 1)
    assert (subject.seconds_left("a"), subject.seconds_left("b")) == (PAUSE_SECONDS, 0)


def test_a_good_call_counts_from_the_start(clock: Clock) -> None:
    subject = Breaker()
    fail(subject, LIMIT - 1)
    subject.note("a", is_limit=False)
    fail(subject, LIMIT - 1)
    assert subject.seconds_left("a") == 0


def test_after_the_pause_one_call_decides(clock: Clock) -> None:
    subject = Breaker()
    fail(subject, LIMIT)
    clock.now += PAUSE_SECONDS
    assert subject.seconds_left("a") == 0
    fail(subject, 1)
    assert subject.seconds_left("a") == PAUSE_SECONDS
    clock.now += PAUSE_SECONDS
    subject.note("a", is_limit=False)
    assert subject.seconds_left("a") == 0
