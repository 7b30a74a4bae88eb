from apps.devserver.backoff import Backoff


def test_delays_double_up_to_five_seconds() -> None:
    backoff = Backoff()
    assert [backoff.next_delay(0) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_child_that_lived_long_enough_starts_over() -> None:
    backoff = Backoff()
    delays = [backoff.next_delay(lived) for lived in (0, 0, 9.9, 10, 0)]
    assert delays == [0.2, 0.4, 0.8, 0.2, 0.4]
