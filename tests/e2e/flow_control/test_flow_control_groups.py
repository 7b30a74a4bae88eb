"""Debounce and batches: several events, one run (spec 02, 4.3 and 4.4)."""

from tests.e2e.flow_control.flow_app import FlowApp, now_ms
from tests.e2e.waiting import wait_until


def test_debounce_runs_once_with_the_last_event(app: FlowApp, key: str) -> None:
    user, other = f"{key}-ann", f"{key}-bob"
    events = [app.send("debounced", key, n=n, user=user) for n in range(2)]
    last_sent_at = now_ms()
    events.append(app.send("debounced", key, n=2, user=user))
    events.append(app.send("debounced", key, n=9, user=other))
    runs = app.finish(events[2:])
    assert [run["output"] for run in runs] == [2, 9]
    assert sorted(app.numbers(key)) == [2, 9]
    [start] = [call["at"] for call in app.calls(key) if call["n"] == 2]
    assert start >= last_sent_at + 1_000
    assert [app.stepwell.runs(event) for event in events[:2]] == [[], []]
    assert [app.reasons(event) for event in events] == [["Debounced"]] * 4


def test_event_of_an_earlier_time_does_not_replace_a_later_one(app: FlowApp, key: str) -> None:
    user, now = f"{key}-ann", now_ms()
    name = f"{app.name}/debounced"
    later = app.stepwell.send(name, {"key": key, "n": 1, "user": user}, ts=now)
    earlier = app.stepwell.send(name, {"key": key, "n": 2, "user": user}, ts=now - 60_000)
    app.finish([later])
    assert app.numbers(key) == [1]
    assert app.reasons(earlier) == ["Debounced"]


def test_debounce_timeout_caps_the_delay(app: FlowApp, key: str) -> None:
    """Events keep coming, far less than the period of 2 s apart; the run starts after the timeout of 3 s all
    the same, and not with the first of them."""
    user, began = f"{key}-ann", now_ms()
    sent: list[int] = []

    def has_started() -> bool:
        sent.append(len(sent))
        app.send("debounced-capped", key, n=sent[-1], user=user)
        return bool(app.calls(key))

    wait_until(has_started, 30)
    first = app.calls(key)[0]
    assert first["at"] >= began + 3_000
    assert 0 < first["n"] <= sent[-1]


def test_full_batch_starts_at_once(app: FlowApp, key: str) -> None:
    """Three events of one user make a batch; the fourth opens another, which starts at its timeout of 2 s."""
    entries = [{"n": n, "user": f"{key}-ann", "together": True} for n in range(4)]
    events = app.send_many("batched", key, entries)
    runs = app.finish(events)
    assert len({run["run_id"] for run in runs[:3]}) == 1
    assert [run["output"] for run in runs] == [[0, 1, 2]] * 3 + [[3]]
    assert [call["numbers"] for call in app.calls(key, "collect")] == [[0, 1, 2], [3]]
    assert [app.reasons(event) for event in events] == [["Batched"]] * 4
    batches = [app.outcome(event)[0][2] for event in events]
    assert len(set(batches[:3])) == 1
    assert len(set(batches)) == 2


def test_batch_starts_at_its_timeout_with_what_it_has(app: FlowApp, key: str) -> None:
    """Each user has a batch of their own."""
    began = now_ms()
    entries = [
        {"n": n, "user": f"{key}-{user}", "together": True} for n, user in enumerate(["ann", "bob", "ann"])
    ]
    runs = app.finish(app.send_many("batched", key, entries))
    assert [run["output"] for run in runs] == [[0, 2], [1], [0, 2]]
    assert min(call["at"] for call in app.calls(key, "collect")) >= began + 2_000


def test_event_that_the_condition_excludes_runs_alone(app: FlowApp, key: str) -> None:
    """While a batch of the same user is open."""
    batched = app.send("batched", key, n=0, user=f"{key}-ann", together=True)
    alone = app.send("batched", key, n=1, user=f"{key}-ann", together=False)
    assert [run["output"] for run in app.finish([alone, batched])] == [[1], [0]]
    assert [call["numbers"] for call in app.calls(key, "collect")] == [[1], [0]]
    assert app.reasons(alone) == []


def test_batch_takes_both_copies_of_an_event_id(app: FlowApp, key: str) -> None:
    event = {
        "name": f"{app.name}/batched",
        "data": {"key": key, "n": 1, "user": f"{key}-ann", "together": True},
    }
    copies = app.stepwell.send_many([{**event, "id": f"{key}-order"}] * 2)
    assert [run["output"] for run in app.finish(copies)] == [[1, 1]] * 2
