"""Priority, singleton and timeouts: which run is next, and which gives way (spec 02, 4.5, 4.6 and 7.8)."""

from tests.e2e.flow_control.flow_app import FlowApp, now_ms


def test_priority_orders_what_waits_for_a_busy_slot(app: FlowApp, key: str) -> None:
    """Of equal age, so that a few seconds decide; a number with a fraction counts, what is none is 0."""
    events = [app.send("important", key, n=0, hold=True)]
    app.wait_for(key)
    priorities = {1: 0, 2: -300, 3: 600, 4: 300.5, 5: "600"}
    for n, priority in priorities.items():
        events.append(app.send("important", key, n=n, p=priority))
        app.wait_until_queued(events[-1])
    app.release(key)
    app.finish(events)
    assert app.numbers(key) == [0, 3, 4, 1, 5, 2]
    assert app.most_in_flight(key) == {None: 1}


def test_priority_is_clamped(app: FlowApp, key: str) -> None:
    """600 s is the most, so the older of two that ask for more is first."""
    events = [app.send("important", key, n=0, hold=True)]
    app.wait_for(key)
    for n, priority in ((1, 700), (2, 43_200)):
        events.append(app.send("important", key, n=n, p=priority))
        app.wait_until_queued(events[-1])
    app.release(key)
    app.finish(events)
    assert app.numbers(key) == [0, 1, 2]


def test_singleton_skips_while_a_run_is_in_progress(app: FlowApp, key: str) -> None:
    user = f"{key}-ann"
    first = app.send("single", key, n=1, user=user, hold=True)
    app.wait_for(key)
    holder = app.calls(key)[0]["run_id"]
    second = app.send("single", key, n=2, user=user)
    other = app.send("single", key, n=3, user=f"{key}-bob")
    without = [app.send("single", key, n=n) for n in (4, 5)]
    app.finish([other, *without])
    [skipped] = [app.stepwell.wait_for_run(second, status="Skipped")]
    assert app.skip_of(skipped["run_id"]) == ("SKIPPED", "Singleton", holder)
    [(_, reason, run_id)] = app.outcome(second)
    assert (reason, run_id) == ("Singleton", skipped["run_id"])
    app.release(key)
    app.finish([first])
    app.finish([app.send("single", key, n=6, user=user)])
    assert sorted(app.numbers(key)) == [1, 3, 4, 5, 6]


def test_singleton_cancels_the_run_in_progress(app: FlowApp, key: str) -> None:
    user = f"{key}-ann"
    first = app.send("latest", key, n=1, user=user, hold=True)
    app.wait_for(key)
    second = app.send("latest", key, n=2, user=user)
    assert app.finish([second])[0]["output"] == 2
    app.stepwell.wait_for_run(first, status="Cancelled")
    assert app.numbers(key) == [1, 2]
    app.release(key)


def test_run_that_does_not_start_in_time_is_cancelled_unexecuted(app: FlowApp, key: str) -> None:
    """The first run started in time, and may take as long as it likes."""
    first = app.send("must-start", key, n=1, hold=True)
    app.wait_for(key)
    sent_at = now_ms()
    second = app.send("must-start", key, n=2)
    app.stepwell.wait_for_run(second, status="Cancelled", timeout=30)
    assert now_ms() >= sent_at + 1_000
    app.release(key)
    app.finish([first])
    assert app.numbers(key) == [1]


def test_run_that_does_not_finish_in_time_is_cancelled(app: FlowApp, key: str) -> None:
    sent_at = now_ms()
    event = app.send("must-finish", key, n=1, seconds=3600)
    app.stepwell.wait_for_run(event, status="Cancelled", timeout=30)
    assert now_ms() >= sent_at + 1_000
    assert app.numbers(key, "asleep") == [1]
    assert app.calls(key, "awake") == []


def test_run_page_tells_key_and_priority(app: FlowApp, key: str) -> None:
    keyed, moved = app.finish([app.send("per-user", key, user=key), app.send("important", key, p=90)])
    page = app.stepwell.http.get(f"/runs/{keyed['run_id']}").text
    assert "Concurrency key" in page
    assert f">{key}</span>" in page
    assert "1 m 30 s ahead" in app.stepwell.http.get(f"/runs/{moved['run_id']}").text
