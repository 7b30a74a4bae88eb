"""Throttle, rate limit and idempotency: when runs start, and which events start none (spec 02, 4.1, 4.2)."""

import itertools

from tests.e2e.flow_control.flow_app import FlowApp, now_ms


def test_throttle_lets_limit_and_burst_in_at_once_then_one_an_interval(app: FlowApp, key: str) -> None:
    """2 in 4 s and a burst of 1: three at once, then one every 2 s; another key waits for nobody."""
    user, other = f"{key}-ann", f"{key}-bob"
    sent_at = now_ms()
    events = app.send_many("throttled", key, [{"n": n, "user": user} for n in range(5)])
    events.append(app.send("throttled", key, n=9, user=other))
    app.finish(events)
    starts = {call["n"]: call["at"] for call in app.calls(key)}
    order = [n for n in app.numbers(key) if n != 9]
    assert set(order[:3]) == {0, 1, 2}  # their requests are under way together
    assert order[3:] == [3, 4]
    assert starts[3] >= sent_at + 2_000
    assert starts[4] >= sent_at + 4_000
    assert max(starts[n] for n in (0, 1, 2, 9)) < starts[3]


def test_throttled_events_without_the_field_share_a_rate(app: FlowApp, key: str) -> None:
    """The bucket is that of all such events, whatever was sent before: the last of 4 waits at least 2 s."""
    sent_at = now_ms()
    app.finish(app.send_many("throttled", key, [{"n": n} for n in range(4)]))
    assert max(call["at"] for call in app.calls(key)) >= sent_at + 2_000


def test_start_that_waits_for_a_slot_uses_up_no_throttle(app: FlowApp, key: str) -> None:
    """Spec 02, B.2. One in 2 s, one at a time. The first run is held until its interval has passed twice: the
    second starts when it ends, and the third one interval after the second, not at once."""
    events = [app.send("throttled-one", key, n=0, hold=True)]
    app.wait_for(key)
    first_at = app.calls(key)[0]["at"]
    events += app.send_many("throttled-one", key, [{"n": n} for n in (1, 2)])
    late = app.send("plain", key, n=7, ms=4_100)
    app.finish([late])
    released_at = now_ms()
    assert released_at >= first_at + 4_000
    assert [n for n in app.numbers(key) if n != 7] == [0]
    app.release(key)
    app.finish(events)
    starts = {call["n"]: call["at"] for call in app.calls(key)}
    assert starts[1] >= released_at
    assert starts[2] >= released_at + 2_000


def test_retries_and_later_steps_are_not_throttled(app: FlowApp, key: str) -> None:
    """A throttle of one in 2 s, and a run whose requests all come through."""
    [run] = app.finish([app.send("throttled-one", key, n=1)])
    assert run["status"] == "Completed"
    assert {flight["run_id"] for flight in app.flights(key)} == {run["run_id"]}


def test_rate_limit_drops_what_is_over_the_limit(app: FlowApp, key: str) -> None:
    user = f"{key}-ann"
    events = app.send_many("rated", key, [{"n": n, "user": user} for n in range(5)])
    app.finish(events[:3])
    for event in events[3:]:
        assert app.reasons(event) == ["RateLimited"]
        assert app.stepwell.runs(event) == []
    app.finish([app.send("rated", key, n=9, user=f"{key}-bob")])
    assert sorted(app.numbers(key)) == [0, 1, 2, 9]


def test_rate_limit_does_not_concern_events_without_the_field(app: FlowApp, key: str) -> None:
    app.finish(app.send_many("rated", key, [{"n": n} for n in range(5)]))
    assert sorted(app.numbers(key)) == [0, 1, 2, 3, 4]


def test_idempotency_starts_one_run_for_a_value(app: FlowApp, key: str) -> None:
    orders = [f"{key}-a", f"{key}-a", f"{key}-b", f"{key}-b"]
    events = app.send_many("once", key, [{"n": n, "order": order} for n, order in enumerate(orders)])
    app.finish([events[0], events[2]])
    assert [app.reasons(event) for event in events] == [[], ["RateLimited"], [], ["RateLimited"]]
    app.finish([app.send("once", key, n=n, order=False) for n in (7, 8)])
    assert sorted(app.numbers(key)) == [0, 2, 7, 8]


def test_event_id_starts_one_run(app: FlowApp, key: str) -> None:
    """The second copy is known as a duplicate of the first one's run."""
    event = {"name": f"{app.name}/plain", "data": {"key": key, "n": 1}, "id": f"{key}-order"}
    first, second = app.stepwell.send_many([event]), app.stepwell.send_many([event])
    [run] = app.finish(first)
    [(_, reason, detail)] = app.outcome(second[0])
    assert (reason, detail) == ("Duplicate", run["run_id"])
    assert app.numbers(key) == [1]
    assert list(itertools.chain(*map(app.reasons, first))) == []
