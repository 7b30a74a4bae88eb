"""What the caller of a function is told that flow control keeps from running (spec 02, 1.5, 4.2 and 4.3)."""

from typing import Any

from tests.e2e.flow_control.flow_app import FlowApp


def invoke(app: FlowApp, key: str, target: str, **data: Any) -> str:
    return app.send("invokes", key, target=target, data={"key": key, **data})


def answer(app: FlowApp, event: str) -> object:
    return app.finish([event])[0]["output"]


def message_of(app: FlowApp, event: str) -> str:
    """The error that the step ended with, for which each SDK has a name of its own."""
    output = app.finish([event])[0]["output"]
    assert set(output) == {"name", "message"}
    return str(output["message"])


def test_rate_limited(app: FlowApp, key: str) -> None:
    order = f"{key}-a"
    assert answer(app, invoke(app, key, "once", n=1, order=order)) == {"result": 1}
    assert message_of(app, invoke(app, key, "once", n=2, order=order)) == "invoked function is rate limited"
    assert app.numbers(key) == [1]


def test_skipped_by_a_singleton(app: FlowApp, key: str) -> None:
    user = f"{key}-ann"
    holder = app.send("single", key, n=1, user=user, hold=True)
    app.wait_for(key)
    event = invoke(app, key, "single", n=2, user=user)
    assert message_of(app, event) == "invoked function was skipped: Singleton"
    app.release(key)
    app.finish([holder])
    assert app.numbers(key) == [1]


def test_debounced(app: FlowApp, key: str) -> None:
    """The caller whose event gave way is told at once; that of the last event gets the run's result."""
    user = f"{key}-ann"
    first = invoke(app, key, "debounced-capped", n=1, user=user)
    app.wait_for(key, "invokes")
    app.stepwell.wait_for_pause(first)
    second = invoke(app, key, "debounced-capped", n=2, user=user)
    assert message_of(app, first) == "invoked function was debounced"
    assert answer(app, second) == {"result": 2}
    assert app.numbers(key) == [2]


def test_batched(app: FlowApp, key: str) -> None:
    """Every caller gets the result of the batch."""
    events = [invoke(app, key, "batched", n=n, user=f"{key}-ann", together=True) for n in range(3)]
    results = [answer(app, event) for event in events]
    assert [sorted(result["result"]) for result in results if isinstance(result, dict)] == [[0, 1, 2]] * 3
    assert len(app.calls(key, "collect")) == 1
